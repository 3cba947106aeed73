"""Parameters and buffers of merged modules: one list, each with its sizes and initial value as constants."""

from __future__ import annotations

from collections.abc import Sequence

from dlc.backends.common import values
from dlc.backends.common.context import Context
from dlc.backends.common.evaluate import Unknown, evaluate
from dlc.backends.common.form import Weight
from dlc.backends.common.values import Refused
from dlc.ir import Parameter, Static
from dlc.spec.syntax import Expr


def merge_weights(contexts: Sequence[Context]) -> tuple[Weight, ...]:
    """Raises Refused where modules declare a parameter differently."""
    order: dict[str, None] = {}
    for context in contexts:
        order.update(dict.fromkeys(parameter.name for parameter in context.module.parameters))
    return tuple(_weight(contexts, name) for name in order)


def _weight(contexts: Sequence[Context], name: str) -> Weight:
    found = [_parameter(context, name) for context in contexts]
    pairs = [(context, parameter) for context, parameter in zip(contexts, found, strict=True) if parameter is not None]
    context, first = pairs[0]
    kind = context.module.types[first.value]
    for other, parameter in pairs:
        same = parameter.kind == first.kind and parameter.initial.name == first.initial.name
        if not same or other.module.types[parameter.value].dtype != kind.dtype:
            raise Refused(f"different declarations of {name}")
        if other.module.types[parameter.value].rank != kind.rank:
            raise Refused(f"different ranks of {name}")
    shape = tuple(values.merge([_size(c, p, axis) for c, p in pairs]) for axis in range(kind.rank))
    arguments = tuple(
        values.merge([c.seen(p.initial.arguments[i]) for c, p in pairs]) for i in range(len(first.initial.arguments))
    )
    condition = None if len(pairs) == len(contexts) else _condition(contexts, found, name)
    return Weight(name, first.kind, shape, first.initial, arguments, kind.dtype, condition)


def _parameter(context: Context, name: str) -> Parameter | None:
    return next((parameter for parameter in context.module.parameters if parameter.name == name), None)


def _size(context: Context, parameter: Parameter, axis: int) -> values.Seen:
    source = parameter.shape_source[axis] if axis < len(parameter.shape_source) else None
    return context.seen(Static(context.module.types[parameter.value].shape[axis], source))


def _condition(contexts: Sequence[Context], found: Sequence[Parameter | None], name: str) -> tuple[Expr, bool]:
    """A test of the block that tells which modules have the parameter."""
    tests = [test for context in contexts for choice in context.module.choices for test in choice.tests]
    for test in tests:
        for wanted in (True, False):
            if all(_holds(c, test, (p is not None) == wanted) for c, p in zip(contexts, found, strict=True)):
                return test, wanted
    raise Refused(f"no test tells when there is a parameter {name}")


def _holds(context: Context, test: Expr, wanted: bool) -> bool:
    try:
        return bool(evaluate(test, context.names)) == wanted
    except Unknown:
        return False
