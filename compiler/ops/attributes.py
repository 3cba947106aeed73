"""Attributes as a user writes them, turned into what `infer` and `evaluate` read.

| kind | a user may write | normal form |
|---|---|---|
| int, bool, str, dtype, number, any | that | that |
| axis, new_axis | an int, negative counts from the end | a non-negative int |
| axes | an int, a list, none for all | a tuple of distinct non-negative ints (none: all axes in order) |
| permutation | a list of all axes, none for reversed | a tuple of non-negative ints |
| size, sizes | an int or a dimension; a list of these | the size; a tuple |
| ints | an int for all spatial axes, or one each | a tuple, one per spatial axis of the first operand |
| pairs | an int, one int per spatial axis, or [low, high] each | a tuple of (low, high), one per spatial axis |
| pairs | "valid"; "same" | none; the zeros that keep the size (`dlc.ops.borders`) |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlc.diagnostics import did_you_mean
from dlc.dims import Dim
from dlc.ir import DTYPES, TensorType
from dlc.ops.api import REQUIRED, Op, OpError


def normalise_attributes(op: Op, attributes: Mapping[str, object], types: Sequence[TensorType]) -> dict[str, Any]:
    """All attributes of `op` in normal form, defaults filled in. Raises OpError with what was found and expected."""
    _require_operands(op, types)
    _refuse_unknown(op, attributes)
    normal: dict[str, Any] = {}
    for spec in op.attributes:
        value = attributes.get(spec.name, spec.default)
        if value is REQUIRED:
            raise OpError(f"{op.name} needs {spec.name}", expected=f"{spec.name}=...")
        if value is None and spec.default is None and spec.kind not in ("axes", "permutation"):
            normal[spec.name] = None
            continue
        normal[spec.name] = _NORMALISE[spec.kind](f"{op.name}'s {spec.name}", value, types)
    return normal if op.complete is None else {**normal, **op.complete(types, normal)}


def _require_operands(op: Op, types: Sequence[TensorType]) -> None:
    if op.operands and op.operands[-1].startswith("*"):
        if not types:
            raise OpError(f"{op.name} needs at least one tensor", found="none", expected="one or more")
        return
    if len(types) != len(op.operands):
        count = len(op.operands)
        wanted = f"{count} operand" + ("" if count == 1 else "s")
        names = ", ".join(op.operands)
        raise OpError(f"{op.name} needs {wanted}, not {len(types)}", found=str(len(types)), expected=names or wanted)


def _refuse_unknown(op: Op, attributes: Mapping[str, object]) -> None:
    known = [spec.name for spec in op.attributes]
    for name in attributes:
        if name in known:
            continue
        hint = did_you_mean(name, known)
        allowed = ", ".join(known) if known else "no attributes"
        raise OpError(
            f"{op.name} has no attribute {name!r}" + (f"; {hint}" if hint else ""), found=name, expected=allowed
        )


def _wrong(what: str, value: object, expected: str) -> OpError:
    return OpError(f"{what} must be {expected}", found=show(value), expected=expected)


def show(value: object) -> str:
    """A value as a user would write it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(show, value))}]"
    return repr(value) if isinstance(value, str) else str(value)


def is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _int(what: str, value: object, types: Sequence[TensorType]) -> Any:
    if not is_int(value):
        raise _wrong(what, value, "an integer")
    return value


def _number(what: str, value: object, types: Sequence[TensorType]) -> Any:
    if not is_int(value) and not isinstance(value, float):
        raise _wrong(what, value, "a number")
    return value


def _bool(what: str, value: object, types: Sequence[TensorType]) -> Any:
    if not isinstance(value, bool):
        raise _wrong(what, value, "true or false")
    return value


def _str(what: str, value: object, types: Sequence[TensorType]) -> Any:
    if not isinstance(value, str):
        raise _wrong(what, value, "a string")
    return value


def _dtype(what: str, value: object, types: Sequence[TensorType]) -> Any:
    if value not in DTYPES:
        raise _wrong(what, value, f"one of {', '.join(DTYPES)}")
    return value


def _size(what: str, value: object, types: Sequence[TensorType]) -> Any:
    if not is_int(value) and not isinstance(value, Dim):
        raise _wrong(what, value, "an integer or a dimension")
    return value


def _sizes(what: str, value: object, types: Sequence[TensorType]) -> Any:
    if not isinstance(value, (list, tuple)):
        raise _wrong(what, value, "a list of integers or dimensions")
    return tuple(_size(f"each item of {what}", item, types) for item in value)


def _any(what: str, value: object, types: Sequence[TensorType]) -> Any:
    return value


def resolve_axis(what: str, axis: object, rank: int, shape: str) -> int:
    """The non-negative axis. Raises OpError where it is no integer in -rank..rank-1."""
    if not isinstance(axis, int) or isinstance(axis, bool):
        raise _wrong(what, axis, "an integer")
    if not -rank <= axis < rank:
        allowed = f"{-rank} to {rank - 1}" if rank else "none: it has no axes"
        raise OpError(f"{what} is {axis}, out of range for {shape}", found=str(axis), expected=allowed)
    return axis % rank


def _axis(what: str, value: object, types: Sequence[TensorType]) -> Any:
    return resolve_axis(what, value, types[0].rank, str(types[0]))


def _new_axis(what: str, value: object, types: Sequence[TensorType]) -> Any:
    rank = types[0].rank + 1
    return resolve_axis(what, value, rank, f"a result with {rank} axes")


def _axes(what: str, value: object, types: Sequence[TensorType]) -> Any:
    if value is None:
        return tuple(range(types[0].rank))
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    axes = tuple(_axis(what, item, types) for item in items)
    if len(set(axes)) != len(axes):
        raise OpError(f"{what} names an axis twice", found=show(value), expected="each axis once")
    return axes


def _permutation(what: str, value: object, types: Sequence[TensorType]) -> Any:
    return tuple(reversed(range(types[0].rank))) if value is None else _axes(what, value, types)


def spatial_rank(types: Sequence[TensorType]) -> int:
    """The number of spatial axes of an image-like first operand [N, C, ...]."""
    rank = types[0].rank - 2
    if not 1 <= rank <= 3:
        raise OpError(
            f"the input needs 3 to 5 axes, [N, C, ...] with 1 to 3 spatial axes, not {types[0]}",
            found=str(types[0]),
            expected="[N, C, L], [N, C, H, W] or [N, C, D, H, W]",
            operand=0,
        )
    return rank


def _ints(what: str, value: object, types: Sequence[TensorType]) -> Any:
    rank = spatial_rank(types)
    if is_int(value):
        return (value,) * rank
    if not isinstance(value, (list, tuple)) or len(value) != rank or not all(map(is_int, value)):
        raise _wrong(what, value, f"an integer or a list of {rank}")
    return tuple(value)


def _pairs(what: str, value: object, types: Sequence[TensorType]) -> Any:
    rank = spatial_rank(types)
    if value == "same":
        return value
    if isinstance(value, str) and value != "valid":
        raise _wrong(what, value, f'an integer, a list of {rank}, "same" or "valid"')
    pairs = as_pairs(what, 0 if value == "valid" else value, rank)
    if not all(is_int(item) for pair in pairs for item in pair):
        raise _wrong(what, value, f"an integer or a list of {rank}, each an integer or [low, high]")
    return pairs


def as_pairs(what: str, value: object, rank: int) -> tuple[tuple[Any, Any], ...]:
    """(low, high) for each of `rank` axes, from a size, a list of sizes or a list of [low, high]."""
    if _is_size(value):
        return ((value, value),) * rank
    if not isinstance(value, (list, tuple)) or len(value) != rank:
        raise _wrong(what, value, f"an integer or a list of {rank}, each an integer or [low, high]")
    return tuple(_pair(what, item) for item in value)


def _pair(what: str, item: object) -> tuple[Any, Any]:
    if _is_size(item):
        return item, item
    if isinstance(item, (list, tuple)) and len(item) == 2 and all(map(_is_size, item)):
        return item[0], item[1]
    raise _wrong(f"each item of {what}", item, "an integer or [low, high]")


def _is_size(value: object) -> bool:
    return is_int(value) or isinstance(value, Dim)


_NORMALISE: Mapping[str, Callable[[str, object, Sequence[TensorType]], Any]] = {
    "int": _int,
    "number": _number,
    "bool": _bool,
    "str": _str,
    "dtype": _dtype,
    "size": _size,
    "sizes": _sizes,
    "axis": _axis,
    "new_axis": _new_axis,
    "axes": _axes,
    "permutation": _permutation,
    "ints": _ints,
    "pairs": _pairs,
    "any": _any,
}
