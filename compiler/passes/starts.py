"""Where states start: a number that the IR holds, or an expression over the block's parameters.

Modules are pure and are always given their states. So whoever runs a cell from its start, a `scan`, computes it in its
own body: it reads the cell's parameters and evaluates the expression among the cell's hyperparameters and dimensions.
A start goes with its state when that is lifted from a nested cell.

Not done here: states at a network's border, which are inputs whatever their start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dlc import dims, ir
from dlc.diagnostics import DlcError, Note, error
from dlc.dims import Dim, Size
from dlc.ir import Static, TensorType
from dlc.ops import OPS
from dlc.ops.api import OpError
from dlc.ops.shapes import broadcast
from dlc.parameters import join, layer_references
from dlc.passes import static
from dlc.passes.builder import Builder
from dlc.passes.hyperparameters import without_source
from dlc.passes.instances import in_caller
from dlc.passes.things import (
    BlockDeclaration,
    BlockValue,
    Items,
    Layer,
    Primitive,
    Result,
    ScanLayer,
    Tensor,
    Thing,
    Unknown,
    describe,
)
from dlc.passes.walking import bound_names, parts, walk
from dlc.spec import syntax
from dlc.spec.record import replace
from dlc.spec.source import Span


@dataclass(frozen=True, slots=True)
class Start:
    """The expression that a state starts with, as seen from the module that has the state.

    `env` are the constants and blocks of the cell's scope, sizes in the module's symbols, without sources;
    `parameters` the types of its parameters, which stand at `path` below the module's instance, or below the layer
    that its hyperparameter `owner` holds.
    """

    declaration: BlockDeclaration
    expression: syntax.Expr
    env: Mapping[str, Thing]
    parameters: Mapping[str, TensorType]
    path: str = ""
    owner: str | None = None


def declared(b: Builder, node: syntax.State, kind: TensorType) -> Static | None:
    """The number that a state starts with; None for an expression, noted in `b.starts`, and where nothing is written.

    Raises DlcError E0610 and what evaluating the expression raises.
    """
    from dlc.passes.expressions import evaluate

    if node.initial is None:
        return None
    _check_names(b, node.initial)
    env = {name: thing for name, thing in b.env.items() if _is_constant(thing)}
    parameters = {p.name: b.types[p.value] for p in b.parameters}
    trial = Builder(b.elaborator, b.declaration, b.training, env=dict(env))
    trial.env.update({name: Tensor(trial.new_value(type_)) for name, type_ in parameters.items()})
    thing = evaluate(trial, node.initial)
    if isinstance(thing, Static) and isinstance(thing.value, bool | int | float):
        _check_number(thing.value, kind, node.initial.span)
        return thing
    _check_type(trial.type_of(_tensor(trial, thing, kind, node.initial.span)), kind, node)
    _check_instances(trial, node.initial)
    stripped = {name: without_source(thing) for name, thing in env.items()}
    b.starts[node.name] = Start(b.declaration, node.initial, stripped, parameters)
    return None


def lift(b: Builder, layer: Layer, module: ir.Module, state: str, name: str, sizes: Mapping[str, Size]) -> None:
    """Notes the start of a nested instance's state for the caller's state `name`."""
    inner = b.elaborator.starts.get(module.key, {}).get(state)
    owner = _owner(b, layer.instance, inner) if inner is not None else None
    if inner is None or owner is None:
        return
    instance = b.instances[owner]
    env = {key: _in_caller(thing, sizes) for key, thing in inner.env.items()}
    path = inner.path if instance.given is not None else join(instance.path, inner.path)
    b.starts[name] = replace(inner, env=env, path=path, owner=instance.given)


def emit(b: Builder, layer: Layer, module: ir.Module, state: ir.State, sizes: Mapping[str, Size]) -> Tensor | None:
    """A state's start, computed in the body of whoever runs the cell; None where nothing says it."""
    start = b.elaborator.starts.get(module.key, {}).get(state.name)
    owner = _owner(b, layer.instance, start) if start is not None else None
    if start is None or owner is None:
        return None
    first = len(b.body)
    scope = replace(
        b,
        declaration=start.declaration,
        env=_env(b, layer, start, sizes),
        sites=_sites(b, start.expression),
        loops=[],
        choices=[],
        first_axes={},
        edges=None,
        message_nodes=None,
        sent=None,
    )
    tensor = _evaluated(scope, start, owner, in_caller(module.types[state.value], sizes))
    # The loops and choices inside the expression are none of the caller's.
    b.body[first:] = [
        equation if equation.origin.frames == b.frames else _at(equation, b) for equation in b.body[first:]
    ]
    return tensor


def _evaluated(scope: Builder, start: Start, owner: int, kind: TensorType) -> Tensor:
    from dlc.passes.expressions import evaluate

    span = start.expression.span
    used = {part.id for part in parts(start.expression) if isinstance(part, syntax.Name)}
    for name, type_ in start.parameters.items():
        if name in used:
            target = ir.Read(owner, join(start.path, name))
            scope.env[name] = scope.emit("read", (), (type_,), span, target=target)[0]
    tensor = _tensor(scope, evaluate(scope, start.expression), kind, span)
    if scope.type_of(tensor) == kind:
        return tensor
    return scope.apply("broadcast_to", [tensor], {"shape": Static(kind.shape)}, span)[0]


def _at(equation: ir.Equation, b: Builder) -> ir.Equation:
    return ir.Equation(
        equation.op,
        equation.inputs,
        equation.outputs,
        equation.attributes,
        equation.target,
        ir.Origin(equation.origin.span, b.statement, b.frames),
    )


# --- the scope -------------------------------------------------------------------------------------------------


def _env(b: Builder, layer: Layer, start: Start, sizes: Mapping[str, Size]) -> dict[str, Thing]:
    """The cell's scope in the caller: its own hyperparameters come with their sources there."""
    env = {name: _in_caller(thing, sizes) for name, thing in start.env.items()}
    if start.path or start.owner is not None or b.instances[layer.instance].given is not None:
        return env
    given = b.instance_things[layer.instance]
    return {name: given[name] if name in given and given[name] == thing else thing for name, thing in env.items()}


def _owner(b: Builder, instance: int, start: Start) -> int | None:
    """The instance below which a start's parameters stand; None where this block can't know it."""
    if start.owner is None:
        return instance
    if b.instances[instance].given is not None:
        return None
    return layer_references(b.instances[instance]).get(start.owner)


def _sites(b: Builder, expression: syntax.Expr) -> dict[Span, str]:
    """Names for the instances that a start makes, none of which the caller's own text could give."""
    taken = {*b.sites.values(), *(name for s in walk(b.declaration.block.body) for name in bound_names(s))}
    found: dict[Span, str] = {}
    for part in parts(expression):
        if isinstance(part, syntax.Name):
            name = f"start_{part.id}"
            while name in taken:
                name += "_"
            found[part.span] = name
    return found


def _is_constant(thing: Thing) -> bool:
    match thing:
        case Static() | BlockValue() | Primitive():
            return True
        case Items(items=items):
            return all(map(_is_constant, items))
        case _:
            return False


def _in_caller(thing: Thing, sizes: Mapping[str, Size]) -> Thing:
    match thing:
        case Static(value=Dim() as size):
            return Static(dims.substitute(size, sizes))
        case Static(value=tuple() as values):
            parts_ = (_in_caller(Static(value), sizes) for value in values)
            return Static(tuple(part.value for part in parts_ if isinstance(part, Static)))
        case Items(items=items):
            return Items(tuple(_in_caller(item, sizes) for item in items))
        case _:
            return thing


# --- what may stand in a start ---------------------------------------------------------------------------------


def _check_names(b: Builder, expression: syntax.Expr) -> None:
    """Raises DlcError E0610 for a name that stands for anything but a parameter, constant or block."""
    own = {target for c in _clauses(expression) for target in c.targets}
    below = {name for s in walk(b.declaration.block.body) for name in bound_names(s)} - set(b.env)
    parameters = {p.name for p in b.parameters}
    for part in parts(expression):
        if isinstance(part, syntax.Next):
            raise _not_known_yet(part, f"`next {part.name}`, which a call gives")
        if not isinstance(part, syntax.Name) or part.id in own | parameters:
            continue
        thing = b.env.get(part.id)
        if isinstance(thing, Unknown):
            raise DlcError(())
        if part.id in below and part.id not in OPS and not b.declaration.scope.offers(part.id):
            raise _not_known_yet(part, f"`{part.id}`, which stands below", f"put `{part.id}` above the state")
        if thing is not None and not _is_constant(thing):
            raise _not_known_yet(part, f"`{part.id}`, {_kind(b, part.id, thing)}")


def _not_known_yet(part: syntax.Expr, found: str, hint: str | None = None) -> DlcError:
    return error(
        "E0610",
        "a state's start is known before the first call",
        part.span,
        found=found,
        expected="an expression over parameters, hyperparameters and dimensions",
        hint=hint or "leave the start out, and give the state by name where the cell is used",
    )


def _clauses(expression: syntax.Expr) -> Iterator[syntax.Clause]:
    for part in parts(expression):
        if isinstance(part, syntax.Comprehension):
            yield from part.clauses


def _kind(b: Builder, name: str, thing: Thing) -> str:
    if any(i.name == name for i in b.declaration.inputs):
        return "an input of the block"
    if any(s.name == name for s in b.declaration.states):
        return "a state of the block"
    if isinstance(thing, Layer | ScanLayer):
        return "a layer"
    return "the result of a call" if isinstance(thing, Result) else "a value of the block's body"


def _tensor(b: Builder, thing: Thing, kind: TensorType, span: Span) -> Tensor:
    """What an expression gave, as a tensor; a number or size takes the state's element type."""
    if isinstance(thing, Static) and isinstance(thing.value, int | float | Dim):
        return b.constant(thing, kind.dtype, span)
    if isinstance(thing, Static | BlockValue | Layer):
        raise error(
            "E0610",
            "a state starts with a number or a tensor",
            span,
            found=describe(thing),
            expected=str(kind),
        )
    return b.tensor(thing, span)


def _check_number(value: bool | int | float, kind: TensorType, span: Span) -> None:
    if kind.dtype in ir.FLOATS:
        static.as_float(value, span)
        return
    static.check_size(value, span)
    if kind.dtype in ir.INTS and isinstance(value, float) and not value.is_integer():
        raise error("E0610", f"a state of type {kind.dtype} starts with a whole number", span, found=str(value))


def _check_type(found: TensorType, kind: TensorType, node: syntax.State) -> None:
    assert node.initial is not None
    note = Note(f"`{node.name}` is declared here", node.type.span)
    if found.dtype != kind.dtype:
        raise error(
            "E0610",
            f"the start of `{node.name}` has another element type",
            node.initial.span,
            found=str(found),
            expected=str(kind),
            hint=f"cast it: `{kind.dtype}(...)`",
            notes=(note,),
        )
    if _broadcasts(found, kind):
        return
    raise error(
        "E0610",
        f"the start of `{node.name}` does not fit its shape",
        node.initial.span,
        found=str(found),
        expected=f"{kind}, or what broadcasts to it",
        notes=(note,),
    )


def _broadcasts(found: TensorType, kind: TensorType) -> bool:
    try:
        return broadcast((found.shape, kind.shape)) == kind.shape
    except OpError:
        return False


def _check_instances(trial: Builder, expression: syntax.Expr) -> None:
    """A start may use blocks that own nothing. Raises DlcError E0610."""
    table = {module.key: module for module in trial.elaborator.modules.values()}
    for instance, modules in zip(trial.instances, trial.instance_modules, strict=True):
        owned = next((what for module in modules if (what := _owns(module, table))), None)
        if owned is None:
            continue
        raise error(
            "E0610",
            f"a state's start can't use a block with {owned}",
            instance.origin.span,
            found=f"`{instance.block.name}`",
            expected="blocks that own nothing",
            hint="declare a `param` of the state's own" if owned == "parameters" else None,
            notes=(Note("the start", expression.span),),
        )


def _owns(module: ir.Module, table: Mapping[str, ir.Module]) -> str | None:
    """What a module holds: parameters, states or draws; None if nothing."""
    for what, held in (("parameters", module.parameters), ("states", module.states), ("random draws", module.draws)):
        if held:
            return what
    targets = (equation.target for equation in module.body)
    inner = (_owns(table[t.module], table) for t in targets if isinstance(t, ir.Call | ir.Scan))
    return next((what for what in inner if what), None)
