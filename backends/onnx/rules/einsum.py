"""`einsum` of two tensors as `MatMul` or `Mul`, whatever fits neither as `Einsum`.

Not for beauty alone: ONNX Runtime's `Einsum` (1.31.1) ends the process by a division by zero where an operand is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply, Rule


@dataclass(frozen=True, slots=True)
class _Operand:
    """A tensor and the letters of its axes."""

    value: Value
    letters: str

    def arranged(self, b: Builder, wanted: Sequence[str], least: int = 0) -> Value:
        """With its axes in the order of `wanted`, and an axis of size 1 for each letter there that it lacks.

        Leading ones are left to broadcasting, but the last `least` axes are always there.
        """
        order = tuple(self.letters.index(letter) for letter in wanted if letter in self.letters)
        value = self.value
        if order != tuple(range(len(order))):
            value = b("Transpose", value, hint=value.hint, perm=order)
        first = next(place for place, letter in enumerate(wanted) if letter in self.letters)
        first = min(first, len(wanted) - least)
        axes = [place - first for place in range(first, len(wanted)) if wanted[place] not in self.letters]
        return b("Unsqueeze", value, b.integers(axes), hint=value.hint) if axes else value


def _einsum(b: Builder, use: Apply) -> Value:
    pattern = use.attributes["pattern"]
    terms, result = pattern.split("->")
    operands = [_Operand(value, term) for value, term in zip(use.inputs, terms.split(","), strict=True)]
    if not _is_product(operands, result):
        return b("Einsum", *use.inputs, equation=pattern)
    left, right = operands
    summed = [letter for letter in left.letters if letter not in result]
    if not summed and not {*left.letters}.isdisjoint(right.letters):
        return b("Mul", left.arranged(b, result), right.arranged(b, result), hint="product")
    if result and result[-1] in left.letters and result[-1] not in right.letters:
        left, right = right, left
    return _product(b, left, right, summed[0] if summed else "1", result)


def _is_product(operands: Sequence[_Operand], result: str) -> bool:
    """Of two tensors, over one shared axis or none, without diagonals or axes that only one of them has to sum."""
    if len(operands) != 2 or any(not operand.letters for operand in operands):
        return False
    left, right = (operand.letters for operand in operands)
    summed = {*left, *right} - {*result}
    plain = all(len(set(letters)) == len(letters) for letters in (left, right, result))
    return plain and len(summed) <= 1 and summed <= {*left} & {*right}


def _product(b: Builder, left: _Operand, right: _Operand, summed: str, result: str) -> Value:
    """Rows of the left by columns of the right; all other axes are the product's batch. `summed` may be of size 1."""
    rows = [letter for letter in result if letter not in right.letters]
    columns = [letter for letter in result if letter not in left.letters]
    row, column = rows[-1] if rows else " ", columns[-1] if columns else " "
    outer = [letter for letter in result if letter not in (row, column)]
    product = b("MatMul", left.arranged(b, [*outer, row, summed], 2), right.arranged(b, [*outer, summed, column], 2))
    made = [*outer, row, column]
    if " " in made:
        axes = [place - len(made) for place, letter in enumerate(made) if letter == " "]
        product = b("Squeeze", product, b.integers(axes))
    order = [letter for letter in made if letter != " "]
    if order == list(result):
        return product
    return b("Transpose", product, perm=tuple(order.index(letter) for letter in result))


RULES: Mapping[str, Rule] = {"einsum": _einsum}
