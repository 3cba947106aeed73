"""Exact symbolic shape arithmetic.

A size is an `int` or a `Dim`: a polynomial with integer coefficients over atoms. An atom is a symbol (`N`, a dynamic
dimension) or a floor division that does not come out even. Equal sizes have equal representations as far as the ring
goes: sums and products are in normal form, and what divides evenly comes out of a floor division
(`(2*N + 3)//2` is `N + 1`). Symbols stand for integers >= 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import gcd

from dlc.spec.record import record


@record
class FloorDiv:
    """`numerator // denominator`, where it does not simplify."""

    numerator: Size
    denominator: Size

    def __str__(self) -> str:
        return f"{_bracketed(self.numerator)}//{_bracketed(self.denominator)}"


Atom = str | FloorDiv
Monomial = tuple[tuple[Atom, int], ...]  # (atom, power), sorted by text; () is the constant 1


@record
class Dim:
    """A size that depends on at least one symbol. Build it with `symbol` and the functions of this module."""

    terms: tuple[tuple[Monomial, int], ...]

    def __str__(self) -> str:
        out = ""
        for monomial, factor in sorted(self.terms, key=lambda term: (term[0] == (), _key(term[0]))):
            size = abs(factor)
            # -(a//b) is not -a//b, 2*(a//b) is not 2*a//b.
            alone = len(monomial) == 1 and (factor == 1 or (factor == -1 and out != ""))
            text = "*".join(_factor_text(atom, power, alone) for atom, power in _print_order(monomial))
            body = text if text and size == 1 else f"{size}*{text}" if text else str(size)
            sign = ("-" if factor < 0 else "") if not out else (" - " if factor < 0 else " + ")
            out += sign + body
        return out

    def __repr__(self) -> str:
        return f"Dim({self})"


Size = int | Dim


def symbol(name: str) -> Dim:
    """The dynamic dimension called `name`."""
    return Dim(((((name, 1),), 1),))


def is_symbol(size: Size) -> str | None:
    """The symbol's name if `size` is a bare symbol, else None."""
    if isinstance(size, Dim) and len(size.terms) == 1:
        monomial, factor = size.terms[0]
        if factor == 1 and len(monomial) == 1 and monomial[0][1] == 1 and isinstance(monomial[0][0], str):
            return monomial[0][0]
    return None


def add(a: Size, b: Size) -> Size:
    terms = dict(_terms(a))
    for monomial, factor in _terms(b).items():
        terms[monomial] = terms.get(monomial, 0) + factor
    return _make(terms)


def negative(a: Size) -> Size:
    return _make({monomial: -factor for monomial, factor in _terms(a).items()})


def subtract(a: Size, b: Size) -> Size:
    return add(a, negative(b))


def multiply(a: Size, b: Size) -> Size:
    terms: dict[Monomial, int] = {}
    for left, left_factor in _terms(a).items():
        for right, right_factor in _terms(b).items():
            monomial = _times(left, right)
            terms[monomial] = terms.get(monomial, 0) + left_factor * right_factor
    return _make(terms)


def product(sizes: tuple[Size, ...] | list[Size]) -> Size:
    result: Size = 1
    for size in sizes:
        result = multiply(result, size)
    return result


def exact_divide(a: Size, b: Size) -> Size | None:
    """a / b where that is a polynomial again, else None. `b` must not be 0."""
    if isinstance(b, int):
        if b == 0 or any(factor % b for factor in _terms(a).values()):
            return None
        return _make({monomial: factor // b for monomial, factor in _terms(a).items()})
    if isinstance(a, int):
        return 0 if a == 0 else None
    return _divide_polynomial(a, b)


def floor_divide(a: Size, b: Size) -> Size:
    """a // b, as Python's. Raises ZeroDivisionError where b is the constant 0."""
    if b == 0:
        raise ZeroDivisionError("a size is divided by 0")
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    exact = exact_divide(a, b)
    if exact is not None:
        return exact
    if not isinstance(b, int):
        return _make({((FloorDiv(a, b), 1),): 1})
    if b < 0:
        return floor_divide(negative(a), -b)
    # What divides evenly comes out: (b*q + r)//b = q + r//b.
    quotient = _make({monomial: factor // b for monomial, factor in _terms(a).items()})
    remainder = _make({monomial: factor % b for monomial, factor in _terms(a).items()})
    return add(quotient, _floor_of_rest(remainder, b))


def _floor_of_rest(a: Size, b: int) -> Size:
    """a // b for b > 0, where no coefficient of `a` reaches b."""
    if isinstance(a, int):
        return a // b
    common = gcd(b, *(factor for monomial, factor in a.terms if monomial))
    if common > 1:  # (g*x + c)//(g*m) = (x + c//g)//m
        scaled = {monomial: factor // common for monomial, factor in a.terms}
        return floor_divide(_make(scaled), b // common)
    inner = _inner_division(a)
    if inner is not None:  # (x//d + y)//m = (x + y*d)//(d*m)
        rest = subtract(a, _make({((inner, 1),): 1}))
        whole = add(inner.numerator, multiply(rest, inner.denominator))
        return floor_divide(whole, multiply(inner.denominator, b))
    return _make({((FloorDiv(a, b), 1),): 1})


def _inner_division(size: Dim) -> FloorDiv | None:
    """The first term that is a floor division by a number, once and with nothing else in its product."""
    for monomial, factor in size.terms:
        if factor != 1 or len(monomial) != 1:
            continue
        atom, power = monomial[0]
        if power == 1 and isinstance(atom, FloorDiv) and isinstance(atom.denominator, int):
            return atom
    return None


def modulo(a: Size, b: Size) -> Size:
    return subtract(a, multiply(b, floor_divide(a, b)))


def symbols(size: Size) -> tuple[str, ...]:
    """The symbols of a size, each once, in order of the text."""
    found: dict[str, None] = {}
    if isinstance(size, Dim):
        for monomial, _ in size.terms:
            for atom, _ in monomial:
                names = (atom,) if isinstance(atom, str) else symbols(atom.numerator) + symbols(atom.denominator)
                found.update(dict.fromkeys(names))
    return tuple(found)


def substitute(size: Size, values: Mapping[str, Size]) -> Size:
    """The size with symbols replaced; symbols that `values` lacks stay."""
    if isinstance(size, int):
        return size
    result: Size = 0
    for monomial, factor in size.terms:
        term: Size = factor
        for atom, power in monomial:
            if isinstance(atom, str):
                value: Size = values.get(atom, symbol(atom))
            else:
                value = floor_divide(substitute(atom.numerator, values), substitute(atom.denominator, values))
            for _ in range(power):
                term = multiply(term, value)
        result = add(result, term)
    return result


def evaluate(size: Size, values: Mapping[str, int]) -> int:
    """The number; raises KeyError for a symbol without a value."""
    if isinstance(size, int):
        return size
    result = substitute(size, values)
    if isinstance(result, Dim):
        raise KeyError(symbols(result)[0])
    return result


def linear(size: Size, name: str) -> tuple[Size, Size] | None:
    """(a, b) where the size is a*name + b, a is not 0 and neither has `name` in it; None if it is not of this form."""
    slope = subtract(substitute(size, {name: add(symbol(name), 1)}), size)
    if name in symbols(slope) or slope == 0:
        return None
    rest = subtract(size, multiply(slope, symbol(name)))
    return None if name in symbols(rest) else (slope, rest)


def solve(equation: Size, name: str, value: Size) -> Size | None:
    """The `name` for which `equation` equals `value`: exact, for equations linear in `name`; None otherwise."""
    found = linear(equation, name)
    if found is None:
        return None
    slope, rest = found
    return exact_divide(subtract(value, rest), slope)


def fold(size: Size, leaf: Callable[[str | int], object], operate: Callable[[str, object, object], object]) -> object:
    """Rebuilds a size in another representation: `leaf` for symbols and numbers, `operate` for `+ - * // **`."""
    if isinstance(size, int):
        return leaf(size)
    result: object = None
    for monomial, factor in sorted(size.terms, key=lambda term: (term[0] == (), term[1] < 0, _key(term[0]))):
        body: object = None
        for atom, power in _print_order(monomial):
            if isinstance(atom, str):
                part = leaf(atom)
            else:
                numerator = fold(atom.numerator, leaf, operate)
                part = operate("//", numerator, fold(atom.denominator, leaf, operate))
            part = part if power == 1 else operate("**", part, leaf(power))
            body = part if body is None else operate("*", body, part)
        scale = abs(factor) if result is not None else factor
        if body is None:
            body = leaf(scale)
        elif scale != 1:
            body = operate("*", leaf(scale), body)
        result = body if result is None else operate("-" if factor < 0 else "+", result, body)
    return result


def _terms(size: Size) -> dict[Monomial, int]:
    if isinstance(size, int):
        return {(): size} if size else {}
    return dict(size.terms)


def _make(terms: dict[Monomial, int]) -> Size:
    kept = {monomial: factor for monomial, factor in terms.items() if factor}
    if not kept:
        return 0
    if len(kept) == 1 and () in kept:
        return kept[()]
    return Dim(tuple(sorted(kept.items(), key=lambda term: _key(term[0]))))


def _key(monomial: Monomial) -> tuple[tuple[str, int], ...]:
    return tuple((str(atom), power) for atom, power in monomial)


def _print_order(monomial: Monomial) -> list[tuple[Atom, int]]:
    return sorted(monomial, key=lambda item: (isinstance(item[0], FloorDiv), str(item[0])))


def _times(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for atom, power in right:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items(), key=lambda item: str(item[0])))


def _divide_polynomial(a: Dim, b: Dim) -> Size | None:
    """Long division by the leading monomial; None unless the remainder vanishes."""
    rest: Size = a
    quotient: Size = 0
    lead, lead_factor = max(b.terms, key=_order)
    for _ in range(64):
        if rest == 0:
            return quotient
        top, top_factor = max(_terms(rest).items(), key=_order)
        ratio = _ratio(top, lead)
        if ratio is None or top_factor % lead_factor:
            return None
        step = _make({ratio: top_factor // lead_factor})
        quotient = add(quotient, step)
        rest = subtract(rest, multiply(step, b))
    return None


def _order(term: tuple[Monomial, int]) -> tuple[int, tuple[str, ...]]:
    """By degree, then the atoms written out (x*x < x*y < y*y): products respect this order, as long division needs."""
    word = tuple(str(atom) for atom, power in term[0] for _ in range(power))
    return len(word), word


def _ratio(top: Monomial, lead: Monomial) -> Monomial | None:
    powers = dict(top)
    for atom, power in lead:
        left = powers.get(atom, 0) - power
        if left < 0:
            return None
        powers[atom] = left
    return tuple((atom, power) for atom, power in powers.items() if power)


def _factor_text(atom: Atom, power: int, alone: bool) -> str:
    text = str(atom) if isinstance(atom, str) or (alone and power == 1) else f"({atom})"
    return text if power == 1 else f"{text}**{power}"


def _bracketed(size: Size) -> str:
    return str(size) if (isinstance(size, int) and size >= 0) or is_symbol(size) else f"({size})"
