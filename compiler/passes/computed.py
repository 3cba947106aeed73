"""Parameters that start at an expression over constants and earlier parameters: `param shift: float[D] = -2 * mean`.

The expression becomes a module of its own (`Distribution("computed", key)`): one input for each parameter that it
reads, called as the parameter, ops, and one output. Nothing calls it: `dlc.computed` evaluates it when weights are
drawn, a backend when its own code makes weights.

Not done here: numbers and lists of numbers, which are known now. Blocks may not stand in such an expression.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlc import ir
from dlc.diagnostics import error
from dlc.dims import Dim
from dlc.ir import Static, TensorType
from dlc.ops.api import OpError
from dlc.ops.shapes import broadcast
from dlc.passes.builder import Builder
from dlc.passes.things import BlockValue, Items, Primitive, Tensor, Thing, Unknown
from dlc.passes.walking import parts
from dlc.spec import syntax
from dlc.spec.record import replace


def scope(b: Builder, expression: syntax.Expr) -> Builder:
    """A builder that evaluates an initial value: it knows constants, and the parameters that the expression reads.

    Raises DlcError E0302 for what is known only when the network runs.
    """
    names = {part.id: part for part in parts(expression) if isinstance(part, syntax.Name)}
    trial = Builder(b.elaborator, b.declaration, b.training)
    for name, thing in b.env.items():
        if name in names:
            _require_no_dimension(names[name], thing)
        if _is_constant(thing) and name != "training":
            trial.env[name] = thing
        elif name in names and not isinstance(thing, Unknown):
            trial.env[name] = Tensor(trial.new_value(_parameter_type(b, names[name], thing)))
        elif isinstance(thing, Unknown):
            trial.env[name] = thing
    return trial


def _require_no_dimension(name: syntax.Name, thing: Thing) -> None:
    match thing:
        case Static(value=Dim() as size):
            raise error(
                "E0406",
                "an initial value is known before the network runs",
                name.span,
                found=f"`{size}`, known only when the network runs",
                hint="give the dimension a size at the network's border: `F = 1433`",
            )
        case Items(items=items):
            for item in items:
                _require_no_dimension(name, item)
        case _:
            return


def _is_constant(thing: Thing) -> bool:
    match thing:
        case Static() | BlockValue() | Primitive():
            return True
        case Items(items=items):
            return all(map(_is_constant, items))
        case _:
            return False


def _parameter_type(b: Builder, name: syntax.Name, thing: Thing) -> TensorType:
    for parameter in b.parameters:
        if isinstance(thing, Tensor) and parameter.value == thing.id:
            return b.types[parameter.value]
    raise error(
        "E0302",
        "an initial value is known before the network runs",
        name.span,
        found=f"`{name.id}`",
        expected="an expression over constants and earlier parameters",
    )


def distribution(
    b: Builder, trial: Builder, node: syntax.Parameter, tensor: Tensor, kind: TensorType
) -> ir.Distribution:
    """The initial value that `trial` has computed as `tensor`, for a parameter of type `kind`.

    Raises DlcError E0302 for a block in it, E0401 and E0402 for another type.
    """
    assert node.value is not None
    called = next((e for e in trial.body if e.target is not None), None)
    if called is not None:
        raise error(
            "E0302",
            "an initial value is computed by functions, not by blocks",
            called.origin.span,
            hint="write what the block does in place of it",
        )
    tensor = _fitted(trial, node, tensor, kind)
    read = {value for equation in trial.body for value in equation.inputs} | {tensor.id}
    inputs = [(name, thing.id) for name, thing in trial.env.items() if isinstance(thing, Tensor) and thing.id in read]
    module = ir.Module(
        key="",
        block=ir.BlockId(b.declaration.id.file, f"{b.declaration.id.name}.{node.names[0]}"),
        doc=None,
        hyperparameters=(),
        dims=(),
        homes=(),
        training=False,
        inputs=tuple(ir.Port(name, value) for name, value in inputs),
        absent=(),
        parameters=(),
        states=(),
        draws=(),
        instances=(),
        types=tuple(trial.types),
        body=tuple(trial.body),
        outputs=(ir.Port(node.names[0], tensor.id),),
        next_states=(),
        next_buffers=(),
        signature=tuple((name, False) for name, _ in inputs),
        span=node.span,
    )
    return ir.Distribution("computed", (Static(_known(b, module)),))


def _fitted(trial: Builder, node: syntax.Parameter, tensor: Tensor, kind: TensorType) -> Tensor:
    assert node.value is not None
    found = trial.type_of(tensor)
    if found.dtype != kind.dtype:
        raise error(
            "E0402",
            f"`{node.names[0]}` starts with another element type",
            node.value.span,
            found=str(found),
            expected=str(kind),
            hint=f"cast it: `{kind.dtype}(...)`",
        )
    if found == kind:
        return tensor
    try:
        fits = broadcast((found.shape, kind.shape)) == kind.shape
    except OpError:
        fits = False
    if not fits:
        raise error(
            "E0401",
            f"`{node.names[0]}` starts with another shape",
            node.value.span,
            found=str(found),
            expected=f"{kind}, or what broadcasts to it",
        )
    return trial.apply("broadcast_to", [tensor], {"shape": Static(kind.shape)}, node.value.span)[0]


def _known(b: Builder, module: ir.Module) -> str:
    """The key of a module; both modes of a block, and all that compute the same, share one."""
    table = b.elaborator.computed
    if module not in table:
        table[module] = replace(module, key=f"{module.block.name}#{len(table) + 1}")
    return table[module].key


def modules(module: ir.Module) -> Iterator[str]:
    """The keys of the modules that compute where a module's parameters start."""
    for parameter in module.parameters:
        if parameter.initial.name == "computed":
            yield str(parameter.initial.arguments[0].value)
