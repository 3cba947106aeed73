"""Widths of text. Helvetica's advance widths, which Arial, Liberation Sans and Nimbus Sans share.

Where a reader has none of these, the SVG asks for these widths all the same (`textLength`), so that text fits its box.
"""

from __future__ import annotations

import unicodedata

#: In thousandths of the size, from space to tilde.
_ASCII = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_OTHERS = {"×": 584, "·": 278, "…": 1000, "−": 584}
_WIDE, _UNKNOWN = 1000, 667

FAMILY = "Helvetica, Arial, 'Liberation Sans', 'Nimbus Sans', sans-serif"


def text_width(text: str, size: float) -> float:
    """In pixels. A character that the table lacks is as wide as its letter without accents, or as a capital."""
    return sum(_width(character) for character in text) * size / 1000


def _width(character: str) -> int:
    code = ord(character) - 32
    if 0 <= code < len(_ASCII):
        return _ASCII[code]
    plain = unicodedata.normalize("NFD", character)[0]
    if plain != character:
        return _width(plain)
    unknown = _WIDE if unicodedata.east_asian_width(character) in "WF" else _UNKNOWN
    return _OTHERS.get(character, unknown)


def fit(text: str, size: float, width: float) -> str:
    """The text, cut with an ellipsis where it is wider than `width`."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


def wrap(text: str, size: float, width: float, lines: int) -> list[str]:
    """The text in at most `lines` lines, broken after commas and spaces."""
    found = [""]
    for word in text.split(" "):
        longer = f"{found[-1]} {word}".strip()
        if found[-1] and text_width(longer, size) > width:
            found.append(word)
        else:
            found[-1] = longer
    if len(found) > lines:
        found = [*found[: lines - 1], " ".join(found[lines - 1 :])]
    return [fit(line, size, width) for line in found if line]
