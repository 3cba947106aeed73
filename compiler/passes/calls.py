"""Calls: of primitives, of built-in functions, of blocks and layers; and pipes, which are calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlc import ir
from dlc.diagnostics import DlcError, did_you_mean, error
from dlc.dims import Size
from dlc.ir import Static
from dlc.ops import OPS
from dlc.ops.api import Op
from dlc.passes import arguments, builtins, channels, given_sizes, instances, lifting, messages, scan, static
from dlc.passes.builder import Builder, is_tensor, static_of
from dlc.passes.things import BlockValue, Items, Layer, Pending, Primitive, Result, ScanLayer, Tensor, Thing, describe
from dlc.passes.walking import walk
from dlc.spec import syntax
from dlc.spec.source import Span

#: Functions that are no ops: of lists and sizes, shapes by pattern, scans and messages.
BUILTINS = (*builtins.TABLE, "scan", "in_degree", "out_degree")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call: its thing, its name if given by keyword, the value's place and the name's."""

    thing: Thing
    name: str | None
    span: Span
    name_span: Span | None = None

    @property
    def at(self) -> Span:
        """The place of the name, or of the value where there is none."""
        return self.name_span or self.span


def call(b: Builder, node: syntax.Call, first: Argument | None = None, *, as_cell: bool = False) -> Thing:
    """A call; `first` is what a pipe puts before the written arguments.

    A block without inputs is applied by its call; `as_cell`: not by the one inside `scan(clock(3), steps=7)`.
    """
    from dlc.passes.expressions import as_argument, evaluate

    function = evaluate(b, node.function)
    argument = as_argument if isinstance(function, BlockValue) else evaluate
    cells = isinstance(function, Primitive) and function.name == "scan"
    given = [first] if first else []
    for arg in node.args:
        thing = call(b, arg, as_cell=True) if cells and isinstance(arg, syntax.Call) else argument(b, arg)
        given.append(Argument(thing, None, arg.span))
    given += [Argument(argument(b, k.value), k.name, k.value.span, k.name_span) for k in node.keywords]
    _check_keywords(node)
    if as_cell and isinstance(function, BlockValue):
        return _block(b, function, given, node.span, _site(node.function), as_cell=True)
    return apply(b, function, given, node.span, _site(node.function))


def pipe(b: Builder, node: syntax.Pipe) -> Thing:
    """`x -> f(a)` is `f(x, a)`; `x -> f` is `f(x)`. A chain of pipes is walked from its start."""
    from dlc.passes.expressions import evaluate

    stages: list[syntax.Pipe] = []
    start: syntax.Expr = node
    while isinstance(start, syntax.Pipe):
        stages.append(start)
        start = start.value
    value = evaluate(b, start)
    span = start.span
    for stage in reversed(stages):
        first = Argument(value, None, span)
        target = stage.target
        if isinstance(target, syntax.Call):
            value = call(b, target, first)
        else:
            value = apply(b, evaluate(b, target), [first], target.span, _site(target))
        span = target.span
    return value


def _site(function: syntax.Expr) -> Span:
    return function.span


def _check_keywords(node: syntax.Call) -> None:
    seen: set[str] = set()
    for keyword in node.keywords:
        if keyword.name in seen:
            raise error("E0305", f"`{keyword.name}` is given twice", keyword.name_span)
        seen.add(keyword.name)


def apply(b: Builder, function: Thing, given: Sequence[Argument], span: Span, site: Span) -> Thing:
    """A thing applied to arguments. Raises DlcError where it is nothing that can be called."""
    match function:
        case Primitive(name=name) if name in ir.DTYPES:
            return _cast(b, name, given, span)
        case Primitive(name="scan"):
            return scan.scan(b, given, span)
        case Primitive(name=("in_degree" | "out_degree") as name):
            return messages.degree(b, name, given, span)
        case Primitive(name="softmax") if any(a.name == "over" for a in given):
            return messages.softmax_over(b, given, span)
        case Primitive(name=name) if name in builtins.TABLE and not _is_tensor_function(name, given):
            return builtins.TABLE[name](b, given, span)
        case Primitive(name=name, keywords=bound):
            return _primitive(b, name, [*given, *(Argument(t, k, span) for k, t in bound)], span)
        case BlockValue():
            return _block(b, function, given, span, site)
        case Pending() | Layer():
            return _layer(b, function, given, span)
        case ScanLayer(cell=cell, keywords=keywords):
            parts = [Argument(cell, None, span), *given, *(Argument(t, k, s) for k, t, s in keywords)]
            return scan.scan(b, parts, span)
        case _:
            raise error(
                "E0301",
                "this can't be called",
                span,
                found=describe(function),
                expected="a block, a layer or a function",
                hint=_call_hint(b, function, site),
            )


def _call_hint(b: Builder, function: Thing, site: Span) -> str | None:
    """A text that names a block (`"relu"`), or a value that hides one."""
    if isinstance(function, Static) and isinstance(function.value, str):
        name = function.value
        known = name in OPS or b.declaration.scope.lookup(name, site) is not None
        return (
            f"a block is given by its name, without quotes: `{name}`, as `activation: block = {name}`"
            if known
            else None
        )
    if isinstance(function, Items):
        return "the layers of a list are applied one by one: `for layer in layers:`, below it `x = x -> layer`"
    names = [name for name, thing in b.env.items() if thing is function and not isinstance(function, Static)]
    hidden = next((name for name in names if name in OPS or b.declaration.scope.lookup(name, site) is not None), None)
    return f"the value `{hidden}` hides the block `{hidden}`: call it something else" if hidden else None


def _is_tensor_function(name: str, given: Sequence[Argument]) -> bool:
    """`sqrt(x)` of a tensor is an op; `sqrt(width)` of a constant is computed now."""
    return name in static.FUNCTIONS and (not given or any(_holds_tensor(a.thing) for a in given))


def _holds_tensor(thing: Thing) -> bool:
    return is_tensor(thing) or (isinstance(thing, Items) and any(_holds_tensor(item) for item in thing.items))


# --- casts and primitives --------------------------------------------------------------------------------------


def _cast(b: Builder, dtype: str, given: Sequence[Argument], span: Span) -> Thing:
    if len(given) != 1 or given[0].name is not None:
        raise error("E0306", f"`{dtype}` casts one value", span, found=f"{len(given)} arguments")
    thing = given[0].thing
    if isinstance(thing, Static) and isinstance(thing.value, bool | int | float):
        kind = {"int": int, "bool": bool}.get(dtype, float)
        source = syntax.Call(syntax.Name(dtype), (thing.source,)) if thing.source else None
        if dtype in ("int", "float", "bool"):
            try:
                return Static(kind(thing.value), source)
            except (OverflowError, ValueError):
                raise error("E0502", f"`{dtype}` can't take this number", span, found=describe(thing)) from None
    return b.cast(b.tensor(thing, given[0].span), dtype, span)


def _primitive(b: Builder, name: str, given: Sequence[Argument], span: Span) -> Thing:
    op = OPS[name]
    if not any(_holds_tensor(a.thing) for a in given) and op.operands:
        constants_only = all(isinstance(a.thing, Static) for a in given)
        if constants_only and not any(a.name is None for a in given):
            return Primitive(name, tuple((a.name or "", a.thing) for a in given))
    operands, attributes = arguments.bind_primitive(op, given, span)
    if len(operands) < _required(op):
        return Primitive(name, tuple(attributes.items()))
    statics = {key: static_of(thing, span) for key, thing in attributes.items()}
    outputs = _apply_op(b, name, operands, statics, span)
    first, *others = outputs
    return Items(outputs) if others or name in ("split", "unstack") else first


def _required(op: Op) -> int:
    return sum(not operand.startswith("*") for operand in op.operands)


def elementwise(b: Builder, name: str, operands: Sequence[Thing], span: Span) -> Tensor:
    """A binary operator on tensors and constants."""
    return _apply_op(b, name, operands, {}, span)[0]


def _apply_op(
    b: Builder, name: str, operands: Sequence[Thing], statics: dict[str, Static], span: Span
) -> tuple[Tensor, ...]:
    if b.edges is None:
        return b.apply(name, operands, statics, span)
    return messages.apply(b, name, operands, statics, span)


# --- blocks ----------------------------------------------------------------------------------------------------


def _block(
    b: Builder, block: BlockValue, given: Sequence[Argument], span: Span, site: Span, *, as_cell: bool = False
) -> Thing:
    bound = arguments.bind_block(block.declaration, block.bound, given, span)
    value = BlockValue(
        block.declaration, (*block.bound, *bound.hyperparameters.items()), (*block.written, *bound.hyperparameters)
    )
    b.given_at.update({(span, name): bound.spans[name] for name in bound.hyperparameters})
    pending = Pending(value, site, span)
    needs = [i.name for i in block.declaration.inputs if i.default is None]
    if (needs or (as_cell and block.declaration.states)) and not bound.inputs and not bound.states:
        return pending
    return _apply_layer(b, layer_of(b, pending), bound, span)


def _layer(b: Builder, thing: Pending | Layer, given: Sequence[Argument], span: Span) -> Thing:
    layer = layer_of(b, thing)
    declaration = layer.declaration
    closed = tuple((h.name, Static(None)) for h in declaration.block.hyperparameters)
    bound = arguments.bind_block(declaration, closed, given, span)
    if not bound.inputs and declaration.inputs:
        return layer
    return _apply_layer(b, layer, bound, span)


def _apply_layer(b: Builder, layer: Layer, bound: arguments.Bound, span: Span) -> Result:
    """Calls an instance: checks shapes, elaborates the module, adds the call."""
    tensors = arguments.input_tensors(b, layer.declaration, bound, span)
    states = {name: b.tensor(thing, span) for name, thing in bound.states.items()}
    types = {name: b.type_of(t) if t is not None else None for name, t in tensors.items()}
    channels.check(b, layer.declaration, tensors, types, span)
    state_types = {name: b.type_of(t) for name, t in states.items()}
    module, sizes = b.elaborator.module_for(b, layer, types, state_types, span)
    told = given_sizes.operands(b, module, sizes, span)
    inputs = [told.get(port.name) or tensors[port.name] for port in module.inputs]
    old, lifted, sizes = lifting.old_states(b, layer, module, states, sizes, span)
    outputs = b.emit(
        "call",
        [t.id if t else None for t in inputs] + [t.id for t in old],
        [instances.in_caller(module.types[p.value], sizes) for p in (*module.outputs, *module.next_states)],
        span,
        target=ir.Call(layer.instance, module.key, tuple(sizes.items())),
    )
    count = len(module.outputs)
    new = {port.name: tensor for port, tensor in zip(module.next_states, outputs[count:], strict=True)}
    if lifted:
        lifting.keep_states(b, layer, new)
    named = {port.name: tensor for port, tensor in zip(module.outputs, outputs[:count], strict=True)}
    return Result(layer.declaration.id.name, named, new)


def made(b: Builder, thing: Thing) -> Thing:
    """A thing that is about to be kept (bound to a name, put in a list): a pending layer is made now."""
    return layer_of(b, thing) if isinstance(thing, Pending) else thing


def layer_of(b: Builder, thing: Pending | Layer) -> Layer:
    """The instance behind a thing, made now if it is not yet."""
    return thing if isinstance(thing, Layer) else instances.make(b, thing)


def read_parameter(b: Builder, layer: Layer, node: syntax.Attribute) -> Tensor:
    """`w.weight`: a parameter of an instance, as a tensor."""
    shape = _parameter_type(b, layer, node)
    return b.emit("read", (), (shape,), node.span, target=ir.Read(layer.instance, node.name))[0]


def _parameter_type(b: Builder, layer: Layer, node: syntax.Attribute) -> ir.TensorType:
    for module in b.instance_modules[layer.instance]:
        for parameter in module.parameters:
            if parameter.name == node.name:
                return module.types[parameter.value]
    found = b.elaborator.parameter_type(b, layer, node.name)
    if found is not None:
        return found
    body = layer.declaration.block.body
    names = list(dict.fromkeys(name for s in walk(body) if isinstance(s, syntax.Parameter) for name in s.names))
    if node.name in names:
        raise error(
            "E0605",
            f"the shape of `{node.name}` is not known before the layer is called",
            node.span,
            hint="call the layer first",
        )
    raise error(
        "E0208",
        f"`{layer.declaration.id.name}` has no parameter `{node.name}`",
        node.span,
        expected=f"one of {', '.join(names)}" if names else "a block with parameters",
        hint=did_you_mean(node.name, names),
    )


__all__ = ["BUILTINS", "Argument", "DlcError", "Size", "apply", "call", "elementwise", "layer_of", "made", "pipe"]
