"""Numbers as people read them: 4.09 G, 25,557,032, 178 MB; polynomials with such numbers for coefficients."""

from __future__ import annotations

from collections.abc import Callable

from dlc.dims import Dim, Size

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def short(value: Size) -> str:
    """Three digits and a prefix: `4.09 G`; of a polynomial each coefficient: `1.05 M T + 512 T S`."""
    return _polynomial(value, _short)


def exact(value: Size) -> str:
    """All digits, in groups of three."""
    return _polynomial(value, lambda number: f"{number:,}")


def in_bytes(value: Size) -> str:
    """`178 MB` (millions of bytes), `812 B`."""
    if isinstance(value, int):
        return f"{_short(value)}B" if " " in _short(value) else f"{value} B"
    return _polynomial(value, lambda number: f"{_short(number)}B" if " " in _short(number) else f"{number} B")


def _short(number: int) -> str:
    size = abs(number)
    if size < 1000:
        return str(number)
    power = min((len(str(size)) - 1) // 3, len(_PREFIXES) - 1)
    scaled = size / 1000**power
    if power + 1 < len(_PREFIXES) and float(f"{scaled:.3g}") >= 1000:  # 999,600 is 1.00 M
        power, scaled = power + 1, scaled / 1000
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{'-' if number < 0 else ''}{scaled:.{digits}f} {_PREFIXES[power]}"


def _polynomial(value: Size, text: Callable[[int], str]) -> str:
    if isinstance(value, int):
        return text(value)
    parts: list[str] = []
    for monomial, factor in sorted(value.terms, key=lambda term: (-sum(power for _, power in term[0]), str(term[0]))):
        letters = str(Dim(((monomial, 1),))).replace("**", "^").replace("*", " ") if monomial else ""
        number = text(abs(factor)) if abs(factor) != 1 or not letters else ""
        sign = ("- " if factor < 0 else "+ ") if parts else ("-" if factor < 0 else "")
        parts.append(sign + " ".join(part for part in (number, letters) if part))
    return " ".join(parts)
