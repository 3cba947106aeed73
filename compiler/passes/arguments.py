"""Which argument fills what: the binding rules of calls.

Positional arguments go left to right: a tensor fills the next open input; a constant fills the next open
hyperparameter, or,
where none is open or a tensor stands before it in the call and a required input is still open, that input. Keywords
fill either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dlc.diagnostics import Note, error
from dlc.ir import Static, TensorType
from dlc.ops.api import REQUIRED, Op
from dlc.passes import hyperparameters
from dlc.passes.builder import Builder, is_tensor
from dlc.passes.foreign import keyword_hint
from dlc.passes.no_tensor import several_outputs
from dlc.passes.signatures import signature, usual_call
from dlc.passes.things import BlockDeclaration, Items, Result, Tensor, Thing, describe
from dlc.spec import syntax
from dlc.spec.source import Span

if TYPE_CHECKING:
    from dlc.passes.calls import Argument


@dataclass
class Bound:
    """What a call of a block fills: hyperparameters, inputs and states by name, and where each was written."""

    hyperparameters: dict[str, Thing] = field(default_factory=dict[str, Thing])
    inputs: dict[str, Thing] = field(default_factory=dict[str, Thing])
    states: dict[str, Thing] = field(default_factory=dict[str, Thing])
    spans: dict[str, Span] = field(default_factory=dict[str, Span])


def bind_block(
    declaration: BlockDeclaration,
    closed: Sequence[tuple[str, Thing]],
    given: Sequence[Argument],
    span: Span,
    *,
    rebind: bool = False,
) -> Bound:
    """Binds the arguments of a call to a block.

    `closed` are the hyperparameters that are bound already; with `rebind`, a keyword may bind one of them anew.
    """
    bound = Bound()
    keywords = {a.name for a in given if a.name is not None}
    taken = {name for name, _ in closed} - (keywords if rebind else set())
    hypers = [h.name for h in declaration.block.hyperparameters if h.name not in taken]
    open_hypers = [h for h in hypers if h not in keywords]
    inputs = [i for i in declaration.inputs if i.name not in keywords]
    tensor_seen = False
    for argument in given:
        if argument.name is not None:
            _bind_keyword(declaration, hypers, argument, bound)
            continue
        check_one_output(argument)
        required = any(i.default is None for i in inputs)
        tensor = is_tensor(argument.thing)
        if inputs and (tensor or not open_hypers or (tensor_seen and required)):
            name = inputs.pop(0).name
            bound.inputs[name] = argument.thing
        elif open_hypers and not tensor:
            name = open_hypers.pop(0)
            bound.hyperparameters[name] = argument.thing
        else:
            raise _too_many(declaration, argument)
        bound.spans[name] = argument.span
        tensor_seen = tensor_seen or tensor
    _check_complete(declaration, closed, bound, [i.name for i in inputs if i.default is None], span)
    return bound


def _check_complete(
    declaration: BlockDeclaration, closed: Sequence[tuple[str, Thing]], bound: Bound, missing: list[str], span: Span
) -> None:
    """Raises DlcError E0307 where some inputs are given and others missing, E0309 where one took a hyperparameter's."""
    swallowed = _swallowed(declaration, closed, bound)
    notes = (Note("declared here", declaration.block.name_span),)
    if not missing and swallowed:
        needed = hyperparameters.missing_hyperparameters(declaration, {**dict(closed), **bound.hyperparameters})
        raise error(
            "E0309",
            f"`{declaration.id.name}` needs a value for {_listed(needed)}",
            span,
            expected=signature(declaration),
            hint=swallowed,
            notes=notes,
        )
    if missing and bound.inputs:
        raise error(
            "E0307",
            f"`{declaration.id.name}` needs {_listed(missing)}",
            span,
            found=f"{_listed(list(bound.inputs))} only",
            expected=signature(declaration),
            hint=swallowed,
            notes=notes,
        )


def check_one_output(argument: Argument) -> None:
    """Raises DlcError (E0304) for a result of several outputs: it stands for no tensor."""
    if isinstance(argument.thing, Result) and len(argument.thing.outputs) != 1:
        raise several_outputs(argument.thing, argument.span)


def _swallowed(declaration: BlockDeclaration, closed: Sequence[tuple[str, Thing]], bound: Bound) -> str | None:
    """A hint where a constant filled an input that was meant for a hyperparameter: `x -> attention(8)`."""
    filled = [(name, thing) for name, thing in bound.inputs.items() if isinstance(thing, Static)]
    open_hypers = hyperparameters.missing_hyperparameters(declaration, {**dict(closed), **bound.hyperparameters})
    if not filled or not open_hypers:
        return None
    values = tuple(str(thing.value) for _, thing in filled)
    call = usual_call(declaration, values[: len(open_hypers)])
    return f"after a tensor a constant fills an input; call it with all of its inputs: `{call}`"


def _bind_keyword(declaration: BlockDeclaration, hypers: list[str], argument: Argument, bound: Bound) -> None:
    name = argument.name or ""
    inputs = [i.name for i in declaration.inputs]
    states = [s.name for s in declaration.states]
    if name in hypers:
        bound.hyperparameters[name] = argument.thing
    elif name in inputs:
        bound.inputs[name] = argument.thing
    elif name in states:
        bound.states[name] = argument.thing
    elif isinstance(argument.thing, Result) and argument.thing.states:  # a bundle, for the instance of that name
        bound.states.update({f"{name}.{state}": thing for state, thing in argument.thing.states.items()})
    else:
        known = [h.name for h in declaration.block.hyperparameters] + inputs + states
        closed = name in known
        raise error(
            "E0308",
            f"`{name}` of `{declaration.id.name}` is bound already"
            if closed
            else f"`{declaration.id.name}` has no argument `{name}`",
            argument.at,
            expected=None if closed else signature(declaration),
            hint=None if closed else keyword_hint(name, known),
            notes=(Note("declared here", declaration.block.name_span),),
        )
    bound.spans[name] = argument.span


def _too_many(declaration: BlockDeclaration, argument: Argument) -> Exception:
    what = "input" if is_tensor(argument.thing) else "hyperparameter"
    return error(
        "E0306",
        f"`{declaration.id.name}` takes no further {what}",
        argument.span,
        found=describe(argument.thing),
        expected=signature(declaration),
        notes=(Note("declared here", declaration.block.name_span),),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def input_tensors(b: Builder, declaration: BlockDeclaration, bound: Bound, span: Span) -> dict[str, Tensor | None]:
    """Each input of a block as a tensor of its declared kind, or None where an optional one is left out."""
    tensors: dict[str, Tensor | None] = {}
    kinds = {name: b.type_of(thing) for name, thing in bound.inputs.items() if isinstance(thing, Tensor)}
    kinds |= {
        name: b.type_of(next(iter(thing.outputs.values())))
        for name, thing in bound.inputs.items()
        if isinstance(thing, Result) and len(thing.outputs) == 1
    }
    for declared in declaration.inputs:
        thing = bound.inputs.get(declared.name)
        place = bound.spans.get(declared.name, span)
        if thing is None or (isinstance(thing, Static) and thing.value is None):
            if declared.default is None:
                raise error(
                    "E0307", f"`{declaration.id.name}` needs `{declared.name}`", place, expected=signature(declaration)
                )
            tensors[declared.name] = None
        elif isinstance(thing, Static) and isinstance(thing.value, bool | int | float):
            tensors[declared.name] = b.constant(thing, declared.type.dtype, place)
        else:
            tensors[declared.name] = _of_kind(
                b, declaration, declared, b.tensor(thing, place), place, _swapped(declaration, kinds)
            )
    return tensors


def _of_kind(
    b: Builder,
    declaration: BlockDeclaration,
    declared: syntax.Input,
    tensor: Tensor,
    span: Span,
    swapped: str | None,
) -> Tensor:
    found = b.type_of(tensor)
    if found.dtype == declared.type.dtype:
        return tensor
    raise error(
        "E0402",
        f"input `{declared.name}` of `{declaration.id.name}` has another element type",
        span,
        found=str(found),
        expected=declared.type.dtype,
        hint=swapped or _cast_hint(b, declared, tensor, found),
        notes=(Note("declared here", declared.span),),
    )


def _cast_hint(b: Builder, declared: syntax.Input, tensor: Tensor, found: TensorType) -> str | None:
    """A cast, or, of an input of this block, the type that it should have."""
    name = next((i.name for i in b.declaration.inputs if b.env.get(i.name) == tensor), None)
    cast = f"cast it: `{declared.type.dtype}({name or '...'})`"
    if not _may_fit(declared.type, found):
        return None
    if name is None or declared.type.dtype == "float":
        return cast
    shape = ", ".join(map(str, found.shape))
    return f"declare `input {name}: {declared.type.dtype}[{shape}]`, or {cast}"


def _may_fit(declared: syntax.TensorType, found: TensorType) -> bool:
    """Whether rank and fixed sizes are as declared."""
    if any(isinstance(d, syntax.StarDimension) for d in declared.dimensions):
        return True
    fixed = [(d.value if isinstance(d, syntax.Constant) else None) for d in declared.dimensions]
    sizes = zip(fixed, found.shape, strict=False)
    return len(fixed) == found.rank and all(size in (None, there) for size, there in sizes)


def _swapped(declaration: BlockDeclaration, tensors: Mapping[str, TensorType]) -> str | None:
    """A hint where two inputs of unlike types stand in each other's place."""
    wrong = [i for i in declaration.inputs if i.name in tensors and tensors[i.name].dtype != i.type.dtype]
    if len(wrong) != 2 or tensors[wrong[0].name].dtype != wrong[1].type.dtype:
        return None
    if tensors[wrong[1].name].dtype != wrong[0].type.dtype:
        return None
    return f"the other way round: first `{wrong[0].name}`, then `{wrong[1].name}`"


def bind_primitive(op: Op, given: Sequence[Argument], span: Span) -> tuple[list[Thing], dict[str, Thing]]:
    """Binds the arguments of an op: operands in order, attributes by name.

    A call without tensors that gives everything, `broadcast_to(0.0, [N, 3])`, gives the operands first.
    """
    variadic = bool(op.operands) and op.operands[-1].startswith("*")
    open_attributes = [a.name for a in op.attributes]
    keywords = {a.name for a in given if a.name is not None}
    open_operands = [o for o in op.operands if not o.startswith("*") and o not in keywords]
    open_attributes = [name for name in open_attributes if name not in keywords]
    operands: dict[str, Thing] = {}
    rest: list[Thing] = []
    attributes: dict[str, Thing] = {}
    positional = sum(a.name is None for a in given)
    complete = bool(open_attributes) and not variadic and positional == len(open_operands) + len(open_attributes)
    tensor_seen = complete and not any(is_tensor(a.thing) for a in given)
    for argument in given:
        thing = argument.thing
        if argument.name is not None:
            _bind_op_keyword(op, argument, operands, attributes)
            continue
        check_one_output(argument)
        if variadic and isinstance(thing, Items) and not rest and _any_tensor(thing):
            rest.extend(thing.items)
            tensor_seen = True
            continue
        tensor = is_tensor(thing)
        if tensor and variadic and not open_operands:
            rest.append(thing)
        elif open_operands and (tensor or not open_attributes or tensor_seen or not isinstance(thing, Static | Items)):
            operands[open_operands.pop(0)] = thing
        elif open_attributes and not tensor:
            attributes[open_attributes.pop(0)] = thing
        else:
            hint = _list_hint(op, attributes, given)
            message = f"`{op.name}` takes no further argument"
            raise error("E0306", message, argument.span, found=describe(thing), expected=usage(op), hint=hint)
        tensor_seen = tensor_seen or tensor
    if open_operands and operands:
        raise error("E0307", f"`{op.name}` needs {_listed(open_operands)}", span, expected=usage(op))
    ordered = [operands[o] for o in op.operands if o in operands]
    return [*ordered, *rest], attributes


def _list_hint(op: Op, attributes: Mapping[str, Thing], given: Sequence[Argument]) -> str | None:
    """`reshape(x, N, 3072)`: the sizes are one list."""
    if len(op.attributes) != 1 or op.attributes[0].name not in attributes:
        return None
    numbers = [a.thing for a in given if a.name is None and isinstance(a.thing, Static)]
    if len(numbers) < 2:
        return None
    return f"write one list: `{op.name}({', '.join(op.operands)}, [{', '.join(str(n.value) for n in numbers)}])`"


def _any_tensor(items: Items) -> bool:
    return any(is_tensor(item) for item in items.items)


def _bind_op_keyword(op: Op, argument: Argument, operands: dict[str, Thing], attributes: dict[str, Thing]) -> None:
    name = argument.name or ""
    if name in op.operands:
        operands[name] = argument.thing
        return
    known = [a.name for a in op.attributes]
    if name not in known:
        raise error(
            "E0308",
            f"`{op.name}` has no argument `{name}`",
            argument.at,
            expected=usage(op),
            hint=keyword_hint(name, [*known, *op.operands]),
        )
    attributes[name] = argument.thing


def usage(op: Op) -> str:
    """How an op is called: `softmax(x, axis=...)`."""
    parts = [*op.operands, *(a.name if a.default is REQUIRED else f"{a.name}=..." for a in op.attributes)]
    return f"{op.name}({', '.join(parts)})"
