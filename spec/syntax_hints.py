"""Hints for common slips, each given only when the tokens leave no doubt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dlc.diagnostics import did_you_mean
from dlc.spec.lalr import END
from dlc.spec.lexer import OPENING_WORDS, RESERVED

if TYPE_CHECKING:
    from dlc.spec.syntax_errors import Place

#: Words that open a statement of another language, and what is written instead.
FOREIGN = {
    "def": "declare it by `block name(hyperparameters):`",
    "class": "declare it by `block name(hyperparameters):`",
    "function": "declare it by `block name(hyperparameters):`",
    "fn": "declare it by `block name(hyperparameters):`",
    "model": "declare it by `network Name:`",
    "module": "declare it by `block name(hyperparameters):`",
    "layer": "declare it by `block name(hyperparameters):`",
    "from": 'write `import std.attention` or `import "blocks.dl"`',
    "return": "write `output value`, or `output name = value`",
    "while": "loops run at compile time: write `for i in range(n):`",
    "let": "write `name = value`",
    "var": "write `name = value`",
    "const": "write `name = value`",
    "print": "give the value out: `output name = value`",
    "assert": None,
    "break": "leave turns out by a condition: `for i in [j for j in range(n) if ...]:`",
    "continue": "leave turns out by a condition: `for i in [j for j in range(n) if ...]:`",
    "del": None,
    "global": None,
    "pass": "a block gives something out: `output x`",
    "raise": None,
    "try": None,
    "with": None,
}
_ARITHMETIC = ("+", "-", "*", "/", "//", "%", "@", "**", "&", "|")


def find_hint(place: Place) -> str | None:
    """The first hint that applies, or None."""
    return next((hint for rule in _RULES if (hint := rule(place)) is not None), None)


def _foreign_word(place: Place) -> str | None:
    """`def f(x):`, `return x`."""
    return FOREIGN.get(place.first.text) if place.first.kind == "NAME" else None


def _misspelt_word(place: Place) -> str | None:
    """`inptu x: float[N]`: a line that starts with two names, or a call at the margin."""
    if place.first.kind != "NAME" or place.token.kind not in ("NAME", "STRING"):
        return None
    return did_you_mean(place.first.text, sorted(OPENING_WORDS)) if len(place.before) <= 1 else None


def _else_if(place: Place) -> str | None:
    if place.token.kind == "if" and place.previous is not None and place.previous.kind == "else":
        return "write `elif`"
    return None


def _assignment_in_condition(place: Place) -> str | None:
    if place.token.kind == "=" and any(token.kind in ("if", "elif") for token in place.before):
        return "write `==` to compare"
    return None


def _augmented(place: Place) -> str | None:
    """`x += 1`."""
    if len(place.before) != 1 or place.token.kind not in _ARITHMETIC or not place.after or place.after[0].kind != "=":
        return None
    name = place.first.text
    return f"write `{name} = {name} {place.token.kind} ...`"


def _one_line_body(place: Place) -> str | None:
    if set(place.expected) == {"NEWLINE"} and place.previous is not None and place.previous.kind == ":":
        return "put it on the next line, indented"
    return None


def _annotation(place: Place) -> str | None:
    """`x: float[N]` without its word."""
    if place.token.kind == ":" and len(place.before) == 1 and "=" in place.expected:
        return f"write `input {place.first.text}: ...`, or `param`, `state`, `sample`"
    return None


def _unnamed_value(place: Place) -> str | None:
    """A line that is only an expression."""
    if place.first.text in FOREIGN:
        return None
    if (
        place.first.kind == "NAME"
        and {"=", ","} <= place.expected
        and place.token.kind in ("(", "[", ".", "->", "NEWLINE", *_ARITHMETIC)
    ):
        if place.token.kind == "NEWLINE" and len(place.before) > 1:
            return None
        return "name the value, `y = ...`, or give it out, `output ...`"
    return None


def _comment(place: Place) -> str | None:
    """`// text`, `/* text */`."""
    return "a comment starts with `#`" if place.token.kind in ("/", "//") and not place.before else None


def _arrow(place: Place) -> str | None:
    """`x => f`, `x |> f`, `x --> f`."""
    before = place.previous.kind if place.previous is not None else ""
    return "write `->`" if (before, place.token.kind) in (("=", ">"), ("|", ">"), ("-", "->")) else None


def _compared(place: Place) -> str | None:
    """`y == x` as a statement."""
    return "write `=` to name a value" if place.token.kind == "==" and len(place.before) == 1 else None


def _side_by_side(place: Place) -> str | None:
    """`output x dense(10)`."""
    if place.token.kind not in ("NAME", "NUMBER") or place.previous is None or len(place.before) < 2:
        return None
    if place.previous.kind not in ("NAME", ")", "]", "NUMBER") or place.previous.text in _WORDS_BEFORE:
        return None
    operators = {"->", "+"} <= place.expected or place.first.kind == "output"
    return f"write `->` or an operator before `{place.token.text}`" if operators else None


_WORDS_BEFORE = ("lambda", "as", "not", "f", "r")


def _append(place: Place) -> str | None:
    """`xs.append(x)`."""
    if place.token.kind != "." or len(place.before) != 1 or not place.after or place.after[0].text != "append":
        return None
    name = place.first.text
    return f"a list never changes: write `{name} = {name} + [...]`"


def _text_line(place: Place) -> str | None:
    """A second docstring."""
    return "a comment starts with `#`" if place.token.kind == "STRING" and not place.before else None


def _two_outputs(place: Place) -> str | None:
    """`output x, y`."""
    if place.token.kind == "," and place.first.kind == "output" and _open_bracket(place) is None:
        return "each output has a statement of its own: `output first = ...`"
    return None


def _no_type(place: Place) -> str | None:
    """`input x`, `input x: float`, `input x: float(N, 64)`."""
    if place.first.kind not in ("input", "batch", "state", "param", "buffer", "sample"):
        return None
    if place.token.kind == "NEWLINE" and set(place.expected) <= {":", ","}:
        return "say its type, for instance `: float[N, 64]`"
    if set(place.expected) == {"["}:
        return "a tensor's type has a shape in brackets: `float[N, 64]`, or `float[]` for a scalar"
    return None


FRAMEWORKS = ("torch", "torchvision", "tensorflow", "keras", "numpy", "jax", "flax", "onnx", "einops")


def _framework(place: Place) -> str | None:
    """`from torch import nn`, `import torch.nn as nn`."""
    words = [place.first.text, *(t.text for t in place.before), place.token.text, *(t.text for t in place.after)]
    if place.first.text in ("from", "import") and any(word in FRAMEWORKS for word in words):
        return "a spec imports no framework: leave the line out"
    if place.first.kind == "import" and place.token.text == "as":
        return "an import has no other name: its blocks are known by their own"
    return None


def _tuple(place: Place) -> str | None:
    empty = place.previous is None or place.previous.kind in (",", "(")
    if place.token.kind == "," and ")" in place.expected and not empty:
        return "there are no tuples: write a list, `[...]`"
    return None


def _nested_names(place: Place) -> str | None:
    """`for i, (a, b) in enumerate(zip(xs, ys)):`, `y, (h, c) = lstm(8)(x)`."""
    if place.token.kind != "(" or "NAME" not in place.expected or "NUMBER" in place.expected:
        return None
    if place.previous is None or place.previous.kind not in (",", "for"):
        return None
    if any(token.kind == "for" for token in place.before):
        return "names do not nest: write `for i, a, b in zip(range(len(xs)), xs, ys)`"
    return "names do not nest: name the result, `r = ...`, and take what you need by name: `r.h`"


def _reserved(place: Place) -> str | None:
    if place.token.kind in RESERVED and "NAME" in place.expected and "NUMBER" not in place.expected:
        return f"`{place.token.kind}` is a word of the language; choose another name"
    return None


def _pipe_inside(place: Place) -> str | None:
    if place.token.kind == "->" and {"*", "+"} <= place.expected:
        return "put the pipe in parentheses"
    return None


def _starred(place: Place) -> str | None:
    """`f(*xs)`, `[*xs, x]`, `first, *rest = xs`."""
    if place.token.kind not in ("*", "**") or place.previous is None or place.previous.kind not in ("(", "[", ","):
        return None
    bracket = _open_bracket(place)
    if bracket == "(":
        return "arguments cannot be unpacked: give each by itself, or the list as one"
    if bracket == "[":
        return "write `xs + [x]` to join lists"
    return "there are no starred names: write `rest = xs[1:]`"


def _open_bracket(place: Place) -> str | None:
    """The innermost bracket that is open at the token."""
    closed = 0
    for token in reversed(place.before):
        if token.kind in (")", "]"):
            closed += 1
        elif token.kind in ("(", "["):
            if not closed:
                return token.kind
            closed -= 1
    return None


def _prefixed_string(place: Place) -> str | None:
    """`f"{x}"`, `r"text"`."""
    before = place.previous
    if place.token.kind != "STRING" or before is None or before.text.lower() not in ("f", "r", "b", "rb", "fr", "u"):
        return None
    return f"a string has no letter before it: leave the `{before.text}` out"


def _item_assignment(place: Place) -> str | None:
    """`x[0] = 3`, `x.y = 3`, `self.fc = dense(8)`."""
    if len(place.before) != 1 or place.token.kind not in ("[", ".") or "=" not in place.expected:
        return None
    if not any(token.kind == "=" for token in place.after):
        return None
    if place.before[0].text == "self" and place.token.kind == "." and place.after:
        return f"names need no `self.`: write `{place.after[0].text} = ...`"
    return "a value never changes: make a new one by `where`, `concat` or `stack`, and name it"


def _keyword_colon(place: Place) -> str | None:
    """`dense(units: 3)`."""
    if place.token.kind == ":" and place.previous is not None and place.previous.kind == "NAME":
        return f"write `{place.previous.text}=...`" if _open_bracket(place) == "(" and "=" in place.expected else None
    return None


def _doubled_sign(place: Place) -> str | None:
    """`a && b`, `a || b`."""
    words = {"&": "and", "|": "or"}
    if place.token.kind in words and place.previous is not None and place.previous.kind == place.token.kind:
        return f"write `{words[place.token.kind]}`, or `{place.token.kind}` between bool tensors"
    return None


def _chained_assignment(place: Place) -> str | None:
    """`a = b = 1`."""
    if place.token.kind == "=" and "NEWLINE" in place.expected and any(token.kind == "=" for token in place.before):
        return "write one name a line; `==` compares" if _open_bracket(place) is None else None
    return None


def _range(place: Place) -> str | None:
    """`for i in 0..3:`."""
    return "write `range(first, last)`" if place.token.kind == ".." and place.first.kind == "for" else None


def _ellipsis(place: Place) -> str | None:
    if place.token.kind != "...":
        return None
    if "*" in place.expected:
        return "any number of dimensions is a name with a star: `*B`"
    return "`...` stands in an index only: `x[..., 0]`"


def _untyped(place: Place) -> str | None:
    """`network A(n):`"""
    previous = place.previous
    if (
        set(place.expected) == {":"}
        and previous is not None
        and previous.kind == "NAME"
        and place.token.kind in _AFTER_NAME
    ):
        return f"say its type, `{previous.text}: int`; a tensor is an `input` in the body"
    return None


_AFTER_NAME = (",", ")", "=")


def _bounds_last(place: Place) -> str | None:
    """`input x: int[N] = none in 0..5`."""
    if place.token.kind == ".." and place.first.kind in ("input", "batch") and "NEWLINE" in place.expected:
        return "write the bounds before `=`"
    return None


def _one_name(place: Place) -> str | None:
    """`input x, y: float[N]`."""
    if place.token.kind == "," and set(place.expected) == {":"} and place.first.kind in _ONE_NAME:
        return f"declare each by a line of its own: `{place.first.kind} {place.before[-1].text}: ...`"
    return None


_ONE_NAME = ("input", "batch", "state", "sample")


def _aggregate_how(place: Place) -> str | None:
    """`aggregate total = sum(x)`."""
    if place.first.kind == "aggregate" and place.token.kind == "(":
        return "write the name alone, for instance `aggregate total = sum`"
    return None


def _margin(place: Place) -> str | None:
    """A statement at the left margin."""
    if not place.before and place.token.kind in OPENING_WORDS and place.expected <= {END, "STRING"}:
        return "indent it to make it part of a block"
    return None


def _lambda(place: Place) -> str | None:
    if place.previous is not None and place.previous.text == "lambda":
        return "functions are blocks: declare one by `block name:`"
    return None


_RULES: tuple[Callable[[Place], str | None], ...] = (
    _else_if,
    _assignment_in_condition,
    _augmented,
    _lambda,
    _framework,
    _comment,
    _arrow,
    _compared,
    _append,
    _text_line,
    _two_outputs,
    _no_type,
    _foreign_word,
    _misspelt_word,
    _one_line_body,
    _annotation,
    _nested_names,
    _tuple,
    _reserved,
    _pipe_inside,
    _starred,
    _prefixed_string,
    _item_assignment,
    _keyword_colon,
    _doubled_sign,
    _chained_assignment,
    _range,
    _ellipsis,
    _one_name,
    _untyped,
    _bounds_last,
    _aggregate_how,
    _margin,
    _unnamed_value,
    _side_by_side,
)
