"""How a network's state starts that is not given, as a runner reads it."""

from __future__ import annotations

from dlc import dims
from dlc.ir import Module, State


def start(module: Module, state: State) -> dict[str, object]:
    """A number, and a shape of ints, `[input, axis]`, or 0 for what may grow."""
    inputs = {port.name for port in module.inputs}
    shape: list[object] = []
    for size in module.types[state.value].shape:
        symbol = dims.is_symbol(size)
        home = next((home for home in module.homes if home.symbol == symbol), None)
        bare = home is not None and home.port in inputs and dims.is_symbol(home.size) is not None
        shape.append([home.port, home.axis] if bare and home is not None else size if isinstance(size, int) else 0)
    return {"value": 0 if state.initial is None else state.initial.value, "shape": shape}


def starts_empty(module: Module, state: State) -> bool:
    """Whether a dimension that only states have makes the state empty at the start, so that no number need fill it."""
    inputs = {port.name for port in module.inputs}
    growing = {home.symbol for home in module.homes if home.port not in inputs}
    return any(dims.is_symbol(size) in growing for size in module.types[state.value].shape)


def starts(module: Module) -> dict[str, dict[str, object]]:
    """Those of all states that may be left out, by name."""
    known = (state for state in module.states if state.initial is not None or starts_empty(module, state))
    return {state.name: start(module, state) for state in known}
