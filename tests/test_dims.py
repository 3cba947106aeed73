"""Shape arithmetic against brute force: random expressions, evaluated by Python and as sizes."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from dlc import dims
from dlc.dims import Dim, Size, symbol
from hypothesis import assume, given, settings
from hypothesis import strategies as st

NAMES = ("N", "T", "S")
N, T, S = (symbol(name) for name in NAMES)
NUMBERS: list[Mapping[str, int]] = [
    dict(zip(NAMES, values, strict=True))
    for values in [*itertools.product((1, 2, 5), repeat=3), (7, 11, 13), (0, 3, 0)]
]


@dataclass(frozen=True)
class Both:
    """A size, and the Python expression it was built by."""

    size: Size
    text: str

    def at(self, numbers: Mapping[str, int]) -> int:
        return eval(self.text, {}, dict(numbers))


LEAVES = st.one_of(
    st.sampled_from(NAMES).map(lambda name: Both(symbol(name), name)),
    st.integers(-4, 6).map(lambda number: Both(number, f"({number})")),
)
RING = {"+": dims.add, "-": dims.subtract, "*": dims.multiply}
ALL = {**RING, "//": dims.floor_divide, "%": dims.modulo}


def combine(operations: Mapping[str, Any]) -> Any:
    def build(children: st.SearchStrategy[Both]) -> st.SearchStrategy[Both]:
        return (
            st.tuples(children, st.sampled_from(sorted(operations)), children)
            .map(joined)
            .filter(lambda b: b is not None)
        )

    def joined(parts: tuple[Both, str, Both]) -> Both | None:
        left, sign, right = parts
        try:
            return Both(operations[sign](left.size, right.size), f"({left.text} {sign} {right.text})")
        except ZeroDivisionError:
            return None

    return build


POLYNOMIALS: st.SearchStrategy[Both] = st.recursive(LEAVES, combine(RING), max_leaves=8)
EXPRESSIONS: st.SearchStrategy[Both] = st.recursive(LEAVES, combine(ALL), max_leaves=8)


def require_value(expression: Both, size: Size) -> None:
    """`size` has the expression's value wherever that has one. Raises AssertionError."""
    for numbers in NUMBERS:
        try:
            expected = expression.at(numbers)
        except ZeroDivisionError:
            continue
        try:
            found = dims.evaluate(size, numbers)
        except ZeroDivisionError:
            pytest.fail(f"{size} divides by 0 at {numbers}, {expression.text} does not")
        assert found == expected, f"{expression.text} is {expected} at {numbers}, {size} is {found}"


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS)
def test_value(expression: Both) -> None:
    require_value(expression, expression.size)


@settings(max_examples=250, deadline=None)
@given(EXPRESSIONS)
def test_text_reads_back(expression: Both) -> None:
    require_value(expression, simple(str(expression.size)))


def simple(text: str) -> Size:
    """A size from its text, by the same functions, through Python's own precedence."""

    class Operand:
        def __init__(self, size: Size) -> None:
            self.size = size

        def _with(self, function: Any, other: Any) -> Operand:
            return Operand(function(self.size, other.size if isinstance(other, Operand) else other))

        def _after(self, function: Any, other: int) -> Operand:
            return Operand(function(other, self.size))

        def __add__(self, other: Any) -> Operand:
            return self._with(dims.add, other)

        def __sub__(self, other: Any) -> Operand:
            return self._with(dims.subtract, other)

        def __mul__(self, other: Any) -> Operand:
            return self._with(dims.multiply, other)

        def __rmul__(self, other: int) -> Operand:
            return self._after(dims.multiply, other)

        def __floordiv__(self, other: Any) -> Operand:
            return self._with(dims.floor_divide, other)

        def __rfloordiv__(self, other: int) -> Operand:
            return self._after(dims.floor_divide, other)

        def __radd__(self, other: int) -> Operand:
            return self._after(dims.add, other)

        def __rsub__(self, other: int) -> Operand:
            return self._after(dims.subtract, other)

        def __neg__(self) -> Operand:
            return Operand(dims.negative(self.size))

        def __pow__(self, power: int) -> Operand:
            return Operand(dims.product([self.size] * power))

    result = eval(text, {}, {name: Operand(symbol(name)) for name in NAMES})
    return result.size if isinstance(result, Operand) else result


@settings(max_examples=250, deadline=None)
@given(EXPRESSIONS)
def test_fold_gives_the_same_value(expression: Both) -> None:
    operations = {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "//": operator.floordiv,
        "**": operator.pow,
    }
    for numbers in NUMBERS:
        try:
            expected = expression.at(numbers)
        except ZeroDivisionError:
            continue

        def leaf(item: str | int, numbers: Mapping[str, int] = numbers) -> int:
            return numbers[item] if isinstance(item, str) else item

        def operate(sign: str, left: Any, right: Any) -> Any:
            return operations[sign](left, right)

        assert dims.fold(expression.size, leaf, operate) == expected


@settings(max_examples=200, deadline=None)
@given(POLYNOMIALS, POLYNOMIALS, POLYNOMIALS)
def test_one_form_for_equal_polynomials(a: Both, b: Both, c: Both) -> None:
    x, y, z = a.size, b.size, c.size
    assert dims.add(x, y) == dims.add(y, x)
    assert dims.multiply(x, y) == dims.multiply(y, x)
    assert dims.multiply(dims.add(x, y), z) == dims.add(dims.multiply(x, z), dims.multiply(y, z))
    assert dims.subtract(dims.add(x, y), y) == x
    assert hash(dims.add(x, y)) == hash(dims.add(y, x))
    assert dims.subtract(x, x) == 0


@settings(max_examples=400, deadline=None)
@given(POLYNOMIALS, POLYNOMIALS)
def test_a_product_divides_exactly(a: Both, b: Both) -> None:
    assume(b.size != 0)
    whole = dims.multiply(a.size, b.size)
    assert dims.exact_divide(whole, b.size) == a.size
    assert dims.floor_divide(whole, b.size) == a.size
    assert dims.modulo(whole, b.size) == 0


@settings(max_examples=200, deadline=None)
@given(POLYNOMIALS, POLYNOMIALS)
def test_exact_division_undoes_itself(a: Both, b: Both) -> None:
    assume(b.size != 0)
    quotient = dims.exact_divide(a.size, b.size)
    assert quotient is None or dims.multiply(quotient, b.size) == a.size


@settings(max_examples=200, deadline=None)
@given(POLYNOMIALS, st.integers(1, 7), st.integers(-9, 9))
def test_a_number_comes_out_of_a_division(a: Both, b: int, rest: int) -> None:
    whole = dims.add(dims.multiply(a.size, b), rest)
    assert dims.floor_divide(whole, b) == dims.add(a.size, rest // b)
    assert dims.modulo(whole, b) == rest % b


@settings(max_examples=250, deadline=None)
@given(POLYNOMIALS, st.integers(1, 6), st.integers(-6, 6), st.integers(1, 6))
def test_one_form_for_nested_divisions(a: Both, inner: int, between: int, outer: int) -> None:
    nested = dims.floor_divide(dims.add(dims.floor_divide(a.size, inner), between), outer)
    flat = dims.floor_divide(dims.add(a.size, between * inner), inner * outer)
    assert nested == flat


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS)
def test_substitution(outer: Both, inner: Both) -> None:
    try:
        size = dims.substitute(outer.size, {"N": inner.size})
    except ZeroDivisionError:
        assume(False)
        return
    assert "N" not in dims.symbols(size) or "N" in dims.symbols(inner.size)
    for numbers in NUMBERS:
        try:
            expected = dims.evaluate(outer.size, {**numbers, "N": inner.at(numbers)})
        except ZeroDivisionError:
            continue
        assert dims.evaluate(size, numbers) == expected


@given(st.integers(-5, 5).filter(bool), POLYNOMIALS, POLYNOMIALS)
def test_solving_a_linear_equation(slope: int, rest: Both, value: Both) -> None:
    assume("N" not in dims.symbols(rest.size))
    equation = dims.add(dims.multiply(slope, N), rest.size)
    right = dims.add(dims.multiply(slope, value.size), rest.size)
    assert dims.solve(equation, "N", right) == value.size


@pytest.mark.parametrize(
    ("equation", "value", "expected"),
    [
        (dims.multiply(4, N), 12, 3),
        (dims.multiply(4, N), 13, None),  # not even
        (dims.multiply(N, N), 9, None),  # not linear
        (dims.floor_divide(N, 2), 3, None),  # several
        (T, 3, None),  # not there
        (dims.multiply(T, N), dims.multiply(3, T), 3),
        (dims.add(N, T), dims.add(T, 5), 5),
    ],
)
def test_solve(equation: Size, value: Size, expected: Size | None) -> None:
    assert dims.solve(equation, "N", value) == expected


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (dims.add(dims.multiply(2, N), 3), "2*N + 3"),
        (dims.subtract(N, 1), "N - 1"),
        (dims.negative(N), "-N"),
        (dims.subtract(3, N), "-N + 3"),
        (dims.multiply(dims.multiply(N, N), T), "N**2*T"),
        (dims.floor_divide(N, 2), "N//2"),
        (dims.multiply(2, dims.floor_divide(N, 2)), "2*(N//2)"),
        (dims.multiply(T, dims.floor_divide(N, 2)), "T*(N//2)"),
        (dims.multiply(dims.floor_divide(N, 2), dims.floor_divide(N, 2)), "(N//2)**2"),
        (dims.modulo(N, 2), "N - 2*(N//2)"),
        (dims.floor_divide(dims.add(dims.multiply(2, N), 3), 4), "(N + 1)//2"),
        (dims.floor_divide(dims.floor_divide(N, 2), 3), "N//6"),
        (dims.floor_divide(N, -2), "-N + N//2"),
        (dims.negative(dims.floor_divide(N, 2)), "-(N//2)"),
        (dims.subtract(dims.floor_divide(N, 3), dims.floor_divide(N, 2)), "-(N//2) + N//3"),
        (dims.floor_divide(N, T), "N//T"),
        (dims.floor_divide(1, dims.add(N, T)), "1//(N + T)"),
    ],
)
def test_text(size: Size, text: str) -> None:
    assert str(size) == text


def test_numbers_stay_numbers() -> None:
    assert dims.subtract(N, N) == 0
    assert isinstance(dims.exact_divide(dims.multiply(6, N), N), int)
    assert not isinstance(dims.modulo(dims.multiply(4, N), 2), Dim)


def test_bare_symbols() -> None:
    assert dims.is_symbol(N) == "N"
    for size in (3, dims.multiply(2, N), dims.add(N, 1), dims.multiply(N, N), dims.floor_divide(N, 2), dims.add(N, T)):
        assert dims.is_symbol(size) is None


def test_symbols_are_found_inside_divisions() -> None:
    assert dims.symbols(dims.floor_divide(N, dims.add(T, 1))) == ("N", "T")
    assert dims.symbols(5) == ()


def test_a_missing_symbol_is_named() -> None:
    with pytest.raises(KeyError, match="T"):
        dims.evaluate(dims.add(N, T), {"N": 1})


def test_division_by_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        dims.floor_divide(N, 0)
    assert dims.exact_divide(N, 0) is None
