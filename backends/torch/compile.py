"""From a unit to the artifact."""

from __future__ import annotations

import json

from dlc import dims
from dlc.backends.api import Artifact, Network, Options, Unit
from dlc.backends.torch.file import TorchFile
from dlc.ir import Module, State


def compile_unit(unit: Unit, options: Options) -> Artifact:
    """The generated file, and per network what the runner needs to run it."""
    file = TorchFile(unit, options)
    text = file.print()
    path = f"{unit.stem}_torch.py"
    entries = {network.name: _entry(file, network, place, path) for place, network in enumerate(unit.networks)}
    return Artifact({path: text}, entries)


def _entry(file: TorchFile, network: Network, place: int, path: str) -> str:
    folded = file.folding.entry(2 * place)
    assert folded.form is not None
    form = folded.form
    module = network.inference.table[network.inference.entry]
    optional = {word for word, maybe in form.inputs if maybe}
    required = [word for word, _ in form.inputs if word not in optional]
    return json.dumps(
        {
            "file": path,
            "factory": file.factories.get(network.name, file.names[folded.index]),
            "inputs": [*required, *form.states],
            "optional": [word for word in sorted(optional) if word not in module.absent],
            "outputs": [word for word, _ in form.outputs],
            "states": [word for word, _ in form.next_states],
            "renamed": dict(sorted(file.renamed.items())),
            "starts": {state.name: _start(module, state) for state in module.states if state.initial is not None},
            "dtypes": {port.name: module.types[port.value].dtype for port in (*module.inputs, *module.states)},
        },
        sort_keys=True,
    )


def _start(module: Module, state: State) -> dict[str, object]:
    """How a state that is not given starts: a number, and a shape of ints, `[input, axis]`, or 0 for what may grow."""
    assert state.initial is not None
    inputs = {port.name for port in module.inputs}
    shape: list[object] = []
    for size in module.types[state.value].shape:
        symbol = dims.is_symbol(size)
        home = next((home for home in module.homes if home.symbol == symbol), None)
        bare = home is not None and home.port in inputs and dims.is_symbol(home.size) is not None
        shape.append([home.port, home.axis] if bare and home is not None else size if isinstance(size, int) else 0)
    return {"value": state.initial.value, "shape": shape}
