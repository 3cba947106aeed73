"""The values of number and string literals."""

from __future__ import annotations

import re

from dlc.diagnostics import error
from dlc.spec.source import Span

MAX_DIGITS = 1000
_INT = re.compile(r"0(?:_?0)*|[1-9](?:_?\d)*", re.ASCII)
_FLOAT = re.compile(
    r"(?:\d(?:_?\d)*\.(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?|\d(?:_?\d)*[eE][+-]?\d(?:_?\d)*",
    re.ASCII,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", '"': '"', "'": "'", "\n": ""}


def number_value(text: str, span: Span) -> int | float:
    """`12`, `1_000`, `0.5`, `.5`, `5.`, `2e-4`, as in Python; hexadecimal, octal and binary are not in the language."""
    if _INT.fullmatch(text) and len(text) <= MAX_DIGITS:
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text) and len(text) <= MAX_DIGITS:
        value = float(text.replace("_", ""))
        if value == float("inf"):
            raise error(
                "E0105", f"`{text}` is too large for a float", span, hint="write `inf` if that is what you mean"
            )
        return value
    if len(text) > MAX_DIGITS:
        raise error(
            "E0105", "this number is too long", span, found=f"{len(text)} characters", expected=f"at most {MAX_DIGITS}"
        )
    digits = text.lstrip("0_")
    hint = f"write `{digits}`" if _INT.fullmatch(digits) and text[0] == "0" else None
    raise error("E0105", f"`{text}` is not a number", span, hint=hint)


def string_value(text: str, span: Span) -> str:
    r"""The text between the quotes, escapes replaced: `\n \t \r \0 \\ \" \' \xHH \uHHHH \UHHHHHHHH`."""
    quote = 3 if text.startswith(('"""', "'''")) and len(text) >= 6 else 1
    inner = text[quote:-quote]
    if "\\" not in inner:
        return inner

    def replace(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code and (number := int(code, 16)) < 0x110000 and not 0xD800 <= number < 0xE000:
            return chr(number)
        if not code and match[4] in _SIMPLE:
            return _SIMPLE[match[4]]
        hint = "write `\\\\` for a backslash" if not code else None
        raise error("E0104", f"`{match[0]}` is not an escape", span, hint=hint)

    return _ESCAPE.sub(replace, inner)


def clean_doc(text: str) -> str:
    """A docstring without the indentation that its lines share and without blank lines around it.

    The first line counts only if the text starts with a line break, as in Python.
    """
    lines = [line.rstrip() for line in text.expandtabs().split("\n")]
    rest = [line for line in lines[1:] if line]
    margin = min((len(line) - len(line.lstrip()) for line in rest), default=0)
    lines = [lines[0].lstrip(), *(line[margin:] for line in lines[1:])]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    return "\n".join(lines)
