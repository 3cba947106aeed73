"""Says in plain words why a token cannot stand where it does."""

from __future__ import annotations

from dlc.diagnostics import DlcError, error
from dlc.spec.lalr import END, Unexpected
from dlc.spec.lexer import RESERVED
from dlc.spec.record import record
from dlc.spec.syntax_hints import FOREIGN, find_hint
from dlc.spec.token import Token

# fmt: off
_EXPRESSION = frozenset((
    "NAME", "NUMBER", "STRING", "(", "[", "-", "+", "~", "not", "true", "false", "none", "inf", "nan", "next",
))
_OPERATORS = frozenset((
    "->", "+", "-", "*", "/", "//", "%", "@", "**", "&", "|", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in",
    "is", "is not", "not in", "if", "(", "[", ".",
))
# fmt: on
_ORDER = ("=", ":", ",", ")", "]")


@record
class Place:
    """Where parsing stopped: the tokens of the logical line before `token`, the token, those after it."""

    before: list[Token]
    token: Token
    after: list[Token]
    expected: frozenset[str]

    @property
    def first(self) -> Token:
        """The first token of the logical line."""
        return self.before[0] if self.before else self.token

    @property
    def previous(self) -> Token | None:
        return self.before[-1] if self.before else None


def explain(e: Unexpected, tokens: list[Token]) -> DlcError:
    """The diagnostic for a token that the table has no entry for."""
    place = _place(e, tokens)
    found, expected = describe(place.token), describe_expected(e.expected)
    what = found
    for article in ("the name ", "the number ", "the word ", "a "):
        what = what.removeprefix(article)
    message = f"unexpected {what}"
    if _at_margin(place):
        expected = "`import`, `block`, `network` or `train`"
        message = f"unexpected {what} at the left margin"
    elif e.token.kind == "INDENT":
        message, found = "unexpected indentation", f"{e.token.column - 1} spaces"
        expected = "the indentation of the line above" if e.at else "the left margin"
    elif set(e.expected) == {"INDENT"}:
        message = "nothing is indented below `:`"
    elif e.token.kind == "NEWLINE" and ":" in e.expected and e.expected & {"*", "("} != e.expected:
        message, expected = "missing `:` at the end of this line", "`:`"
    elif _unknown_statement(place):
        message, expected = f"`{place.first.text}` starts no statement", "a statement word, or `=` after a name"
        return error("E0101", message, place.first.span, expected=expected, hint=find_hint(place))
    elif e.token.kind in ("NEWLINE", "DEDENT", END):
        message = "this line is not complete" if e.token.kind != END else "this is not complete"
    return error("E0101", message, place.token.span, found=found, expected=expected, hint=find_hint(place))


def _place(e: Unexpected, tokens: list[Token]) -> Place:
    at = start = e.at
    while start > 0 and tokens[start - 1].kind not in ("NEWLINE", "INDENT", "DEDENT"):
        start -= 1
    end = at
    while end < len(tokens) and tokens[end].kind not in ("NEWLINE", END):
        end += 1
    token, after = e.token, tokens[at + 1 : end]
    return Place(tokens[start:at], token, after, e.expected)


def _at_margin(place: Place) -> bool:
    """A line that belongs to no declaration."""
    return not place.before and place.expected <= {END, "STRING"} and place.token.kind not in ("INDENT", END, "NEWLINE")


def _unknown_statement(place: Place) -> bool:
    """A line that starts with two names, or with a word of another language that is not being bound."""
    if len(place.before) != 1 or place.first.kind != "NAME" or "=" not in place.expected:
        return False
    return place.token.kind == "NAME" or place.first.text in FOREIGN


def describe(token: Token) -> str:
    match token.kind:
        case "NAME":
            return f"the name `{token.text}`"
        case "NUMBER":
            return f"the number `{token.text}`"
        case "STRING":
            return "a string"
        case "NEWLINE":
            return "the end of the line"
        case "INDENT":
            return "a deeper indentation"
        case "DEDENT":
            return "the end of the indented lines"
        case "$END":
            return "the end of the text"
        case kind:
            return f"the word `{kind}`" if kind in RESERVED else f"`{token.text}`"


def describe_expected(kinds: frozenset[str]) -> str:
    """A phrase for a set of kinds: groups by their name, the rest as written."""
    words: list[str] = []
    left = set(kinds)
    if "output" in left:
        return "a statement"
    if {"block", "network"} <= left:
        return "`import`, `block`, `network` or `train`"
    if "NUMBER" in left:
        words.append("an expression")
        left -= _EXPRESSION
    elif {"*", "+"} <= left:
        left -= _OPERATORS
        if not left - {"DEDENT"}:
            words.append("an operator")
    words += [f"`{kind}`" for kind in _ORDER if kind in left]
    named = {"NAME": "a name", "STRING": "a string", "NEWLINE": "the end of the line", "INDENT": "indented lines"}
    words += [phrase for kind, phrase in named.items() if kind in left]
    words += [f"`{kind}`" for kind in sorted(left - set(_ORDER) - set(named) - {END, "DEDENT"})]
    if END in left and not words:
        words.append("the end of the text")
    if not words:
        words.append("nothing more")
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" or {words[-1]}"
