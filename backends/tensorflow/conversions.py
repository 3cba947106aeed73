"""A module's values in other forms: which there are, and the transposes and reshapes that make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dlc import ir
from dlc.backends.tensorflow.axes import lone_axis, permutation, permuted, same_order
from dlc.dims import Size


@dataclass(slots=True)
class Forms:
    """The new values that define an old one: in the spec's order, channels-last, or as a vector (its lone axis).

    `main` is the one that came first.
    """

    main: int
    first: int | None = None
    last: int | None = None
    vector: int | None = None


class Conversions:
    """The new module's types and body so far, and the forms of the old values.

    A conversion stands before the first use, in its choices, and before loops that the value comes into from outside;
    it serves later uses in the same ones: turns of a loop stay alike, and an arm that only training takes leaves no
    trace outside.
    """

    def __init__(self, module: ir.Module, wanted: frozenset[int]) -> None:
        self._old, self._wanted = module, wanted
        self._types: list[ir.TensorType] = []
        self._forms: dict[int, Forms] = {}
        self._old_of: dict[int, int] = {}
        self._body: list[ir.Equation] = []
        self._origin = ir.Origin()
        self._defined_in: dict[int, tuple[ir.Frame, ...]] = {}
        self._converted: dict[tuple[int, str, int], list[tuple[tuple[ir.Frame, ...], int]]] = {}
        self._transposed: dict[int, tuple[int, tuple[int, ...]]] = {}

    def _new(self, type_: ir.TensorType, old: int | None = None) -> int:
        self._types.append(type_)
        value = len(self._types) - 1
        if old is not None:
            self._old_of[value] = old
        return value

    def _type(self, old: int) -> ir.TensorType:
        return self._old.types[old]

    def _shape(self, old: int) -> tuple[Size, ...]:
        return self._old.types[old].shape

    def _define(self, old: int, last: bool = False) -> int:
        """A new value for an old one, in one form."""
        type_ = self._type(old)
        self._defined_in[old] = self._origin.frames
        if last:
            value = self._new(ir.TensorType(type_.dtype, permuted(type_.shape)), old)
            self._forms[old] = Forms(value, last=value)
        else:
            value = self._new(type_, old)
            self._forms[old] = Forms(value, first=value)
        return value

    def _emit(self, equation: ir.Equation) -> None:
        self._body.append(equation)

    def _convert(
        self, op: str, attribute: str, source: int, parameter: tuple[object, ...], shape: Sequence[Size], old: int
    ) -> int:
        """A reshape or transpose before the equation at hand."""
        result = self._new(ir.TensorType(self._types[source].dtype, tuple(shape)), old)
        attributes = ((attribute, ir.Static(parameter)),)
        self._emit(ir.Equation(op, (source,), (result,), attributes, origin=self._origin))
        return result

    def _once(self, old: int, form: str, rank: int, make: Callable[[], int]) -> int:
        """What `make` gives, or gave before in the same loops and choices."""
        made = self._converted.setdefault((old, form, rank), [])
        for outer, value in made:
            if self._origin.frames[: len(outer)] == outer:
                return value
        frames = self._around(old)
        value = make() if frames == self._origin.frames else self._before_loop(frames, make)
        made.append((frames, value))
        return value

    def _around(self, old: int) -> tuple[ir.Frame, ...]:
        """Where to convert: before the loops that the value enters from outside, if no choice is between."""
        frames, defined = self._origin.frames, self._defined_in.get(old, self._origin.frames)
        inner = frames[len(defined) :]
        enters = frames[: len(defined)] == defined and all(isinstance(frame, ir.Turn) for frame in inner)
        return defined if enters else frames

    def _before_loop(self, frames: tuple[ir.Frame, ...], make: Callable[[], int]) -> int:
        """What `make` emits goes before the loop that the equation at hand is in, and that `frames` are around."""
        loop, depth = self._origin.frames[len(frames)], len(frames)
        assert isinstance(loop, ir.Turn)
        place = len(self._body)
        while place and _is_inside(self._body[place - 1].origin.frames, frames, loop.loop):
            place -= 1
        body, origin = self._body, self._origin
        self._body, self._origin = [], ir.Origin(frames=origin.frames[:depth])
        value = make()
        body[place:place] = self._body
        self._body, self._origin = body, origin
        return value

    def _reordered(self, source: int, order: tuple[int, ...], old: int) -> int:
        """`source` with its axes in `order`: itself, its own transpose's source, a reshape or a transpose."""
        if source in self._transposed:
            deeper, inner = self._transposed[source]
            source, order = deeper, tuple(inner[axis] for axis in order)
        shape = self._types[source].shape
        if order == tuple(range(len(order))):
            return source
        target = tuple(shape[axis] for axis in order)
        if same_order(shape, order):
            return source if target == shape else self._convert("reshape", "shape", source, target, target, old)
        return self._convert("transpose", "axes", source, order, target, old)

    def _first(self, old: int) -> int:
        """The value in the spec's order."""
        forms = self._forms[old]
        return forms.first if forms.first is not None else self._once(old, "first", 0, lambda: self._to_first(old))

    def _to_first(self, old: int) -> int:
        forms, shape = self._forms[old], self._shape(old)
        if forms.last is not None:
            back = tuple(permutation(len(shape)).index(axis) for axis in range(len(shape)))
            return self._reordered(forms.last, back, old)
        assert forms.vector is not None
        return self._convert("reshape", "shape", forms.vector, shape, shape, old)

    def _last(self, old: int) -> int:
        """The value channels-last."""
        forms = self._forms[old]
        return forms.last if forms.last is not None else self._once(old, "last", 0, lambda: self._to_last(old))

    def _to_last(self, old: int) -> int:
        forms, shape = self._forms[old], self._shape(old)
        if forms.first is None and forms.vector is not None:
            target = permuted(shape)
            return self._convert("reshape", "shape", forms.vector, target, target, old)
        return self._reordered(self._first(old), permutation(len(shape)), old)

    def _wide(self, old: int) -> bool:
        return sum(size != 1 for size in self._shape(old)) > 1

    def _has_last(self, old: int) -> bool:
        return self._forms[old].last is not None or (old in self._wanted and (old, "last", 0) in self._converted)

    # --- operands that broadcast --------------------------------------------------------------------------------

    def _vectors(self, operands: Sequence[int]) -> tuple[int, ...] | None:
        """The operands as vectors and scalars, if all may be taken so and at least one is kept so."""
        axes: set[int | None] = set()
        found: list[int] = []
        for value in operands:
            shape, forms = self._shape(value), self._forms[value]
            if forms.vector is not None:
                axes.add(lone_axis(shape))
                found.append(forms.vector)
            elif shape == ():
                found.append(self._first(value))
            else:
                return None
        return tuple(found) if axes and len(axes - {None}) <= 1 else None

    def _broadcastable(self, operands: Sequence[int], rank: int) -> tuple[int, ...]:
        """The operands so that they broadcast against a channels-last value of `rank`."""
        found = [self._against(value, rank) for value in operands]
        if all(len(self._types[value].shape) < rank for value in found):
            widest = max(range(len(operands)), key=lambda index: self._type(operands[index]).rank)
            found[widest] = self._lift(operands[widest], rank)
        return tuple(found)

    def _against(self, value: int, rank: int) -> int:
        shape, forms = self._shape(value), self._forms[value]
        if forms.vector is not None and lone_axis(shape) in (None, 1 - rank):
            return forms.vector
        if all(size == 1 for size in shape):
            return self._first(value)
        if len(shape) == rank:
            return self._last(value)
        lifted = (*(1,) * (rank - len(shape)), *shape)
        if same_order(lifted, permutation(rank)) and stripped(permuted(lifted)) == stripped(shape):
            return self._first(value)
        return self._lift(value, rank)

    def _lift(self, value: int, rank: int) -> int:
        """The value at full rank, channels-last."""
        shape = self._shape(value)
        if len(shape) == rank:
            return self._last(value)
        return self._once(value, "lifted", rank, lambda: self._to_rank(value, rank))

    def _to_rank(self, value: int, rank: int) -> int:
        shape = self._shape(value)
        lifted = (*(1,) * (rank - len(shape)), *shape)
        source, target = self._first(value), permuted(lifted)
        if same_order(lifted, permutation(rank)):
            return self._convert("reshape", "shape", source, target, target, value)
        wide = self._convert("reshape", "shape", source, lifted, lifted, value)
        return self._convert("transpose", "axes", wide, permutation(rank), target, value)


def _is_inside(frames: tuple[ir.Frame, ...], outer: tuple[ir.Frame, ...], loop: int) -> bool:
    """Whether `frames` are in some turn of the loop that stands right inside of `outer`."""
    if frames[: len(outer)] != outer or len(frames) == len(outer):
        return False
    frame = frames[len(outer)]
    return isinstance(frame, ir.Turn) and frame.loop == loop


def vector_size(shape: Sequence[Size]) -> Size:
    """The only size of a shape that is not 1; 1 if there is none, which any axis may stand for."""
    axis = lone_axis(shape)
    return 1 if axis is None else shape[axis]


def stripped(shape: Sequence[Size]) -> tuple[Size, ...]:
    """A shape without its leading ones."""
    start = next((index for index, size in enumerate(shape) if size != 1), len(shape))
    return tuple(shape[start:])
