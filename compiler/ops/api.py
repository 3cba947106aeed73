"""What an op declares. The table of all ops is `dlc.ops.OPS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlc.dims import Size
from dlc.ir import TensorType
from dlc.spec.record import record

if TYPE_CHECKING:
    import numpy as np
    from dlc.ops.gradients.api import Gradient

    Array = np.ndarray[Any, np.dtype[Any]]

Attributes = Mapping[str, Any]
REQUIRED = ...


class OpError(Exception):
    """A type rule's complaint; the elaborator adds the place.

    `operand` is the index of the operand that is wrong, if one is.
    """

    def __init__(
        self, message: str, *, found: str | None = None, expected: str | None = None, operand: int | None = None
    ):
        super().__init__(message)
        self.message, self.found, self.expected, self.operand = message, found, expected, operand


@record
class AttributeSpec:
    """An attribute: a compile-time argument of the op, given by position after the operands or by keyword.

    `kind`: `int`, `number` (int or float), `bool`, `str`, `dtype`, `any`, `size`, `sizes` (list of sizes), `axis` (int,
    may be negative), `new_axis` (of the result, which has one axis more), `axes` (int, list of ints, or none for all),
    `permutation` (of the axes), `ints` (one int per spatial axis, or one for all), `pairs` ([low, high] per spatial
    axis, or an int, or a list of ints). `dlc.ops.attributes.normalise_attributes` says what `infer` gets.
    `default` is REQUIRED where it must be given.
    """

    name: str
    kind: str
    default: object = REQUIRED


@record
class Sample:
    """One case for every backend's op test: operand arrays (as nested lists or a seeded shape) and attributes.

    `operands`: one entry per operand: a description `("float", (2, 3))` (normal), `("float", (2, 3), low, high)`
    (uniform), `("int", (4,), low, high)`, `("bool", (2, 3))`, or a literal `("value", dtype, nested_list)`. Attributes
    are as a user writes them. `dlc.ops.samples.draw` makes the arrays, the types and the normalised attributes.
    """

    operands: tuple[Any, ...]
    attributes: tuple[tuple[str, object], ...] = ()
    name: str = ""


@record
class Op:
    """A primitive: names, type rule, NumPy meaning, samples.

    operands: names in order; a last name that starts with `*` takes any number.
    promotion: what the elaborator does to operands before `infer` sees them: "common" casts all to the common type
      (integer with float gives float, bool counts as int), "float" likewise but to a float at least, "select" all but
      the first to the common type (bools stay bool), "none" leaves them. See `dlc.ops.promotion`.
    infer(types, attributes) -> output types; attributes as `normalise_attributes` gives them, sizes may be symbolic.
      Raises OpError.
    evaluate(operands, attributes) -> tuple of arrays; sizes in attributes are ints by then; each result has the dtype
      that infer says, floats in the operands' width. Where there is no float operand (`constant`, `cast`, `one_hot`),
      the family float has the width that the extra attribute "precision" names ("f64" where it is missing). Right in
      float64 and float32. Raises OpError for an index out of range.
    complete(types, attributes) -> attributes that the generic normalisation can't know (a pool's stride is its kernel).
    """

    name: str
    operands: tuple[str, ...]
    attributes: tuple[AttributeSpec, ...]
    infer: Callable[[Sequence[TensorType], Attributes], tuple[TensorType, ...]]
    evaluate: Callable[[Sequence[Any], Attributes], tuple[Any, ...]]
    samples: tuple[Sample, ...]
    doc: str
    promotion: str = "none"
    #: Length of the reduction behind one result element, for the rounding model of verify (1 for elementwise ops).
    reduction: Callable[[Sequence[TensorType], Attributes], Size] | None = None
    complete: Callable[[Sequence[TensorType], Attributes], Attributes] | None = None

    @property
    def gradient(self) -> Gradient | None:
        """The gradient as other ops (`dlc.ops.gradients`, imported when asked for); None where nothing flows back."""
        from dlc.ops.gradients import GRADIENTS

        return GRADIENTS[self.name]
