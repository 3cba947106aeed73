"""The states that a call passes: those that it is given, or the caller's own, lifted from the instance.

A lifted state is called after its instance (`cell.h`). A dimension of it that nothing in the caller binds becomes a
dimension of the caller: called as in the block that declares it where that name is free, else with `_2`, `_3` and so
on, in the order in which instances are called first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from dlc import dims, ir
from dlc.diagnostics import Note, did_you_mean, error
from dlc.dims import Size
from dlc.ir import TensorType
from dlc.passes import dimension_names, starts
from dlc.passes.builder import Builder
from dlc.passes.instances import in_caller
from dlc.passes.things import Layer, Tensor
from dlc.spec.source import Span

MAX_STATES = 4096
Sizes = dict[str, Size]


def old_states(
    b: Builder,
    layer: Layer,
    module: ir.Module,
    given: Mapping[str, Tensor],
    sizes: Mapping[str, Size],
    span: Span,
) -> tuple[list[Tensor], bool, Sizes]:
    """The old states that a call passes, whether the caller keeps them, and all of the callee's dimensions.

    Called with all its states a cell is pure. Called with none, its states become the caller's. Raises DlcError E0308,
    E0401, E0606.
    """
    if not module.states and not given:
        return [], False, dict(sizes)
    check_known(module, given, span)
    missing = [state.name for state in module.states if state.name not in given]
    if given and missing:
        raise error(
            "E0606",
            f"`{module.block.name}` is called with some of its states",
            span,
            found=", ".join(given),
            expected="all of them, or none: " + ", ".join(state.name for state in module.states),
            notes=(Note("declared here", module.span),),
        )
    if given:
        full = with_state_sizes(module, {name: b.type_of(tensor) for name, tensor in given.items()}, sizes)
        check_types(b, module, given, full, span)
        return [given[state.name] for state in module.states], False, full
    return _kept(b, layer, module, sizes, span)


def check_known(
    module: ir.Module, given: Mapping[str, Tensor], span: Span, places: Mapping[str, Span] | None = None
) -> None:
    """Raises DlcError E0308 for a state that the module does not have, at its place if that is known."""
    known = [state.name for state in module.states]
    for name in given:
        if name not in known:
            raise error(
                "E0308",
                f"`{module.block.name}` has no state `{name}`",
                (places or {}).get(name, span),
                expected=", ".join(known) or "no state",
                hint=_part_of_bundle(name, known) or did_you_mean(name, known),
                notes=(Note("declared here", module.span),),
            )


def _part_of_bundle(name: str, known: Collection[str]) -> str | None:
    """A hint where a whole cell's states were given for those of its instance `rnn`."""
    head, _, rest = name.partition(".")
    inside = rest in known and rest.startswith(f"{head}.")
    return f"this holds more than the states of `{head}`: give its `.{head}`" if inside else None


def check_types(
    b: Builder, module: ir.Module, given: Mapping[str, Tensor], sizes: Mapping[str, Size], span: Span
) -> None:
    """Raises DlcError E0401 for a given state of another type than the module's."""
    for state in module.states:
        if state.name not in given:
            continue
        found, wanted = b.type_of(given[state.name]), in_caller(module.types[state.value], sizes)
        if found != wanted:
            raise error(
                "E0401",
                f"state `{state.name}` of `{module.block.name}` is given another "
                + ("element type" if found.dtype != wanted.dtype else "shape"),
                span,
                found=str(found),
                expected=str(wanted),
                notes=(Note("declared here", module.span),),
            )


def with_state_sizes(module: ir.Module, given: Mapping[str, TensorType], sizes: Mapping[str, Size]) -> Sizes:
    """The callee's dimensions in the caller's symbols, with those that the types of given states bind."""
    full = dict(sizes)
    for bare in (True, False):
        for state in module.states:
            formal, found = module.types[state.value], given.get(state.name)
            if found is None or found.rank != formal.rank:
                continue
            for wanted, size in zip(formal.shape, found.shape, strict=True):
                if (dims.is_symbol(wanted) is not None) == bare:
                    _bind(full, wanted, size)
    return full


def _bind(sizes: Sizes, wanted: Size, found: Size) -> None:
    """Solves for the one symbol of `wanted` that has no size yet."""
    unknown = [name for name in dims.symbols(wanted) if name not in sizes]
    if len(unknown) != 1:
        return
    equation = dims.substitute(wanted, {**sizes, unknown[0]: dims.symbol("?")})
    solution = dims.solve(equation, "?", found)
    if solution is not None:
        sizes[unknown[0]] = solution


def _kept(
    b: Builder, layer: Layer, module: ir.Module, sizes: Mapping[str, Size], span: Span
) -> tuple[list[Tensor], bool, Sizes]:
    """The newest values in this step of an instance's states, lifted at its first call."""
    path = b.instances[layer.instance].path
    newest = {s.name: Tensor(b.next_states[f"{path}.{s.name}"]) for s in module.states if _is_kept(b, path, s)}
    full = with_state_sizes(module, {name: b.type_of(tensor) for name, tensor in newest.items()}, sizes)
    check_types(b, module, newest, full, span)
    for state in module.states:
        for symbol in (name for size in module.types[state.value].shape for name in dims.symbols(size)):
            if symbol not in full:
                full[symbol] = dims.symbol(_own_dimension(b, path, symbol))
    old = [newest.get(s.name) or _lifted(b, layer, module, s, full, span) for s in module.states]
    return old, True, full


def _is_kept(b: Builder, path: str, state: ir.State) -> bool:
    return f"{path}.{state.name}" in b.next_states


def _own_dimension(b: Builder, path: str, symbol: str) -> str:
    """The caller's dimension for one that only an instance's states have."""
    key = (path, symbol)
    if key not in b.lifted:
        root = re.sub(r"_\d+$", "", symbol)
        taken = {*b.known_symbols(), *dimension_names.declared_names(b.declaration), *b.lifted.values()}
        name, number = root, 1
        while name in taken:
            number += 1
            name = f"{root}_{number}"
        b.lifted[key] = name
    return b.lifted[key]


def _lifted(
    b: Builder, layer: Layer, module: ir.Module, state: ir.State, sizes: Mapping[str, Size], span: Span
) -> Tensor:
    """A nested instance's state as the caller's own."""
    if len(b.states) >= MAX_STATES:
        raise error(
            "E0511", "this network has too many states to compile", span, found=f"more than {MAX_STATES:,} in one block"
        )
    value = b.new_value(in_caller(module.types[state.value], sizes))
    name = f"{b.instances[layer.instance].path}.{state.name}"
    b.states.append(ir.State(name, value, state.initial))
    starts.lift(b, layer, module, state.name, name, sizes)
    return Tensor(value)


def keep_states(b: Builder, layer: Layer, new: Mapping[str, Tensor]) -> None:
    """Notes the new values of lifted states."""
    path = b.instances[layer.instance].path
    b.next_states.update({f"{path}.{name}": tensor.id for name, tensor in new.items()})
