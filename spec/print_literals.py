"""Constants and strings as .dl text."""

from __future__ import annotations

import math
import re

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def constant_text(value: int | float | bool | str | None) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return _float_text(value) if isinstance(value, float) else repr(value)


def _float_text(value: float) -> str:
    """`0.001`, but `2e-4` and `1e-8`: what is shorter for small numbers."""
    text = re.sub(r"e([-+])0+", r"e\1", repr(value))
    if "e" in text or not 0 < abs(value) < 1e-3:
        return text
    digits = text.partition(".")[2]
    first = len(digits) - len(digits.lstrip("0"))
    mantissa = digits[first] + ("." + digits[first + 1 :] if digits[first + 1 :] else "")
    return min(("-" if value < 0 else "") + f"{mantissa}e-{first + 1}", text, key=len)


def string_text(text: str) -> str:
    return '"' + "".join(_character(c) for c in text) + '"'


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def doc_text(text: str) -> str:
    """The inside of a docstring: line breaks stay, all else that needs it is escaped."""
    escaped = "".join(c if c in '\n"' else _character(c) for c in text)
    return re.sub(r'"{2,}|"\Z', lambda quotes: '\\"' * len(quotes[0]), escaped)
