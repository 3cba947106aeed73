"""`scan(cell, axis=1, reverse=false, lengths=none, steps=none)`: a cell over time steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from dlc import dims, ir
from dlc.diagnostics import Note, did_you_mean, error
from dlc.dims import Dim, Size
from dlc.ir import Static, TensorType
from dlc.passes import given_sizes, lifting, starts
from dlc.passes.builder import Builder, is_tensor
from dlc.passes.instances import in_caller
from dlc.passes.things import BlockValue, Layer, Pending, Result, ScanLayer, Tensor, Thing, describe
from dlc.spec import syntax
from dlc.spec.source import Span

if TYPE_CHECKING:
    from dlc.passes.calls import Argument

Constant = TypeVar("Constant", bool, int)

OPTIONS = ("axis", "reverse", "lengths", "steps")


def scan(b: Builder, given: Sequence[Argument], span: Span) -> Thing:
    """A scan, applied where a scanned input or `steps` is there. Raises DlcError E0612 ff."""
    layer = _cell(b, given, span)
    scanned = [a for a in given if a.name is None and is_tensor(a.thing)]
    options = {a.name: a for a in given if a.name in OPTIONS}
    others = [a for a in given if a.name is not None and a.name not in OPTIONS]
    if not scanned and "steps" not in options:
        kept = tuple((a.name or "", a.thing, a.span) for a in given if a.name is not None)
        return ScanLayer(layer, kept, span)
    axis = _constant(options, "axis", 1)
    reverse = _constant(options, "reverse", False)
    values = [b.tensor(a.thing, a.span) for a in scanned]
    axis = _axis(b, values, axis, scanned, span)
    steps = _steps(b, values, axis, options, span)
    names = _scanned_names(layer, others, scanned, span)
    captured, states, places = _captured(b, layer, names, others)
    over = dict(zip(names, values, strict=True))
    module, sizes = _module(b, layer, axis, over, captured, states, places, span)
    start = [states.get(s.name) or _start(b, layer, module, s, sizes, span) for s in module.states]
    lengths = _lengths(b, options)
    if lengths is not None:
        _check_rows(b.type_of(lengths).shape[0], module, sizes, span)
    present = [p.name for p in module.inputs]
    order = [n for n in over if n in present], [n for n in captured if n in present]
    by_name = {**over, **captured}
    inputs = [by_name[n].id for n in (*order[0], *order[1])] + [t.id for t in start]
    target = ir.Scan(
        instance=layer.instance,
        module=module.key,
        scanned=tuple(ir.Lane(name, axis) for name in order[0]),
        captured=tuple(order[1]),
        stacked=tuple(ir.Lane(port.name, axis) for port in module.outputs),
        steps=steps,
        reverse=reverse,
        has_lengths=lengths is not None,
        dims=tuple(sizes.items()),
    )
    kinds = _result_types(module, sizes, axis, _size(steps), span)
    outputs = b.emit("scan", [*inputs, *([lengths.id] if lengths else [])], kinds, span, target=target)
    count = len(module.outputs)
    stacked = {p.name: t for p, t in zip(module.outputs, outputs[:count], strict=True)}
    final: dict[str, Thing] = {p.name: t for p, t in zip(module.next_states, outputs[count:], strict=True)}
    return Result(layer.declaration.id.name, stacked, final)


def _module(
    b: Builder,
    layer: Layer,
    axis: int,
    over: Mapping[str, Tensor],
    captured: dict[str, Tensor],
    states: Mapping[str, Tensor],
    places: Mapping[str, Span],
    span: Span,
) -> tuple[ir.Module, dict[str, Size]]:
    """The cell for one step's types, and its dimensions here; `captured` gains the sizes that the cell is given."""
    types: dict[str, TensorType | None] = {i.name: None for i in layer.declaration.inputs}
    types.update({name: _step_type(b.type_of(tensor), axis) for name, tensor in over.items()})
    types.update({name: b.type_of(tensor) for name, tensor in captured.items()})
    held = {name: b.type_of(tensor) for name, tensor in states.items()}
    _check_complete(layer, types, span)
    module, sizes = b.elaborator.module_for(b, layer, types, held, span)
    captured.update(given_sizes.operands(b, module, sizes, span))
    lifting.check_known(module, states, span, places)
    sizes = lifting.with_state_sizes(module, held, sizes)
    lifting.check_types(b, module, states, sizes, span)
    _check_held(module, sizes, span)
    return module, sizes


def _result_types(module: ir.Module, sizes: Mapping[str, Size], axis: int, time: Size, span: Span) -> list[TensorType]:
    """The cell's outputs, stacked along the axis, and its states."""
    stacked = [_stacked(in_caller(module.types[p.value], sizes), axis, time, p.name, span) for p in module.outputs]
    return stacked + [in_caller(module.types[p.value], sizes) for p in module.next_states]


def _cell(b: Builder, given: Sequence[Argument], span: Span) -> Layer:
    from dlc.passes.calls import Argument, layer_of

    for argument in given:
        match argument:
            case Argument(thing=Layer() | Pending() as thing, name=None):
                return layer_of(b, thing)
            case Argument(thing=BlockValue() as block, name=None, span=at):
                return layer_of(b, Pending(block, at, at))
            case _:
                continue
    raise error("E0612", "`scan` needs a cell", span, expected="scan(cell, axis=1), the cell a block or layer")


def _constant(options: dict[str, Argument], name: str, default: Constant) -> Constant:
    """An option's value; it is of the default's type."""
    argument = options.get(name)
    if argument is None:
        return default
    kind = type(default)
    value = argument.thing.value if isinstance(argument.thing, Static) else None
    if isinstance(value, type(default)) and type(value) is kind:  # True is an int, but no axis
        return value
    raise error(
        "E0310", f"`{name}` of `scan` is a constant {kind.__name__}", argument.span, found=describe(argument.thing)
    )


def _axis(b: Builder, values: Sequence[Tensor], axis: int, scanned: Sequence[Argument], span: Span) -> int:
    for value, argument in zip(values, scanned, strict=True):
        rank = b.type_of(value).rank
        if not -rank <= axis < rank:
            raise error(
                "E0612", "there is no such axis to scan", argument.span, found=f"axis {axis} of {b.type_of(value)}"
            )
    return axis + b.type_of(values[0]).rank if axis < 0 and values else axis


def _steps(b: Builder, values: Sequence[Tensor], axis: int, options: dict[str, Argument], span: Span) -> Static:
    """The number of time steps. Raises DlcError E0310, E0613."""
    sizes = [b.type_of(value).shape[axis] for value in values]
    given = options.get("steps")
    written = Static(sizes[0]) if sizes else Static(0)
    if given is not None:
        if not isinstance(given.thing, Static) or not isinstance(given.thing.value, int | Dim):
            raise error("E0310", "`steps` is a size", given.span, found=describe(given.thing))
        written = given.thing
        sizes.append(_size(written))
    for size in sizes[1:]:
        if size != sizes[0]:
            raise error(
                "E0613", "the scanned inputs differ in their number of steps", span, found=f"{sizes[0]} and {size}"
            )
    return written


def _size(steps: Static) -> Size:
    assert isinstance(steps.value, int | Dim)
    return steps.value


def _scanned_names(layer: Layer, others: Sequence[Argument], scanned: Sequence[Argument], span: Span) -> list[str]:
    taken = {a.name for a in others}
    free = [i.name for i in layer.declaration.inputs if i.name not in taken]
    if len(scanned) > len(free):
        raise error(
            "E0306",
            f"`{layer.declaration.id.name}` takes no further scanned input",
            scanned[len(free)].span,
            expected=", ".join(free) or "no scanned input",
            notes=(Note("declared here", layer.declaration.block.name_span),),
        )
    return free[: len(scanned)]


def _captured(
    b: Builder, layer: Layer, scanned: Sequence[str], others: Sequence[Argument]
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Span]]:
    """Keyword inputs (the same at each step), states given by name, and the places of these.

    A bundle gives all states of a nested instance.
    """
    inputs = [i.name for i in layer.declaration.inputs]
    own = [s.name for s in layer.declaration.states]
    captured: dict[str, Tensor] = {}
    states: dict[str, Tensor] = {}
    places: dict[str, Span] = {}
    for argument in others:
        name = argument.name or ""
        if name in inputs:
            if not (isinstance(argument.thing, Static) and argument.thing.value is None):
                captured[name] = b.tensor(argument.thing, argument.span)
        elif name in own:
            states[name] = b.tensor(argument.thing, argument.span)
            places[name] = argument.span
        elif isinstance(argument.thing, Result) and argument.thing.states:
            bundle = {f"{name}.{k}": b.tensor(t, argument.span) for k, t in argument.thing.states.items()}
            states.update(bundle)
            places.update(dict.fromkeys(bundle, argument.span))
        else:
            known = [*inputs, *own, *OPTIONS]
            raise error(
                "E0308",
                f"`{layer.declaration.id.name}` has no input or state `{name}`",
                argument.at,
                expected=f"one of {', '.join(known)}",
                hint=did_you_mean(name, known),
            )
    return captured, states, places


def _check_complete(layer: Layer, types: dict[str, TensorType | None], span: Span) -> None:
    missing = [i.name for i in layer.declaration.inputs if i.default is None and types[i.name] is None]
    if missing:
        raise error(
            "E0307",
            f"the scanned cell `{layer.declaration.id.name}` needs `{missing[0]}`",
            span,
            hint=f"give it by keyword where it is the same at each step: `{missing[0]}=...`",
            notes=(Note("declared here", layer.declaration.block.name_span),),
        )


def _step_type(kind: TensorType, axis: int) -> TensorType:
    return TensorType(kind.dtype, kind.shape[:axis] + kind.shape[axis + 1 :])


def _stacked(kind: TensorType, axis: int, steps: Size, name: str, span: Span) -> TensorType:
    if axis > kind.rank:
        raise error(
            "E0612", f"output `{name}` has too few axes to be stacked there", span, found=f"{kind}, axis {axis}"
        )
    return TensorType(kind.dtype, (*kind.shape[:axis], steps, *kind.shape[axis:]))


def _check_held(module: ir.Module, sizes: dict[str, Size], span: Span) -> None:
    """Each state's dimensions are known, and stay from step to step. Raises DlcError E0401, E0607."""
    declared = (Note("declared here", module.span),)
    for state, port in zip(module.states, module.next_states, strict=True):
        formal = module.types[state.value]
        unknown = [name for size in formal.shape for name in dims.symbols(size) if name not in sizes]
        if unknown:
            raise error(
                "E0607",
                f"nothing here says how large `{unknown[0]}` of state `{state.name}` is",
                span,
                found=str(formal),
                hint=f"give the state by name: `{_keyword(state.name)}`",
                notes=declared,
            )
        old, new = in_caller(formal, sizes), in_caller(module.types[port.value], sizes)
        if old != new:
            raise error(
                "E0401",
                f"state `{state.name}` changes its shape from step to step",
                span,
                found=f"{new} after a step",
                expected=str(old),
                hint="under `scan` shapes hold; a state that grows belongs to a cell that is called",
                notes=declared,
            )


def _check_rows(rows: Size, module: ir.Module, sizes: dict[str, Size], span: Span) -> None:
    """With lengths, the first axis of each state and output is the batch's. Raises DlcError E0612."""
    states = [(f"state `{state.name}`", state.value) for state in module.states]
    for what, value in (*states, *((f"output `{port.name}`", port.value) for port in module.outputs)):
        kind = in_caller(module.types[value], sizes)
        if kind.shape[:1] != (rows,):
            raise error(
                "E0612",
                f"{what} has no row for each of the lengths",
                span,
                found=str(kind),
                expected=f"a first axis of size {rows}, as `lengths` has",
                notes=(Note("declared here", module.span),),
            )


def _keyword(state: str) -> str:
    """How a state is given by name: a nested instance's as a bundle."""
    return f"{state.partition('.')[0]}=..."


def _start(b: Builder, layer: Layer, module: ir.Module, state: ir.State, sizes: dict[str, Size], span: Span) -> Tensor:
    """A state's declared start. Raises DlcError E0614 where it has none."""
    if state.initial is None:
        computed = starts.emit(b, layer, module, state, sizes)
        if computed is not None:
            return computed
        raise error(
            "E0614",
            f"state `{state.name}` has no start",
            span,
            hint=f"give it by name: `{_keyword(state.name)}`",
            notes=(Note("declared here", module.span),),
        )
    kind = in_caller(module.types[state.value], sizes)
    attributes = (("value", _number(state.initial)), ("dtype", Static(kind.dtype)), ("shape", Static(kind.shape)))
    return b.emit("constant", (), (kind,), span, attributes)[0]


def _number(initial: Static) -> Static:
    """A start as it is known outside of its cell: what is written there names things of another scope."""
    return initial if isinstance(initial.source, syntax.Constant) else Static(initial.value)


def _lengths(b: Builder, options: dict[str, Argument]) -> Tensor | None:
    argument = options.get("lengths")
    if argument is None or (isinstance(argument.thing, Static) and argument.thing.value is None):
        return None
    lengths = b.tensor(argument.thing, argument.span)
    kind = b.type_of(lengths)
    if kind.dtype not in ir.INTS or kind.rank != 1:
        raise error("E0612", "`lengths` holds one integer per row", argument.span, found=str(kind), expected="int[N]")
    return lengths
