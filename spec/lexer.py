"""Text to tokens: indentation, lines continued by `->`, and words that open a statement.

- A line break inside brackets is nothing; blank lines and comments are nothing anywhere.
- A line that starts with `->` continues the logical line before it, whatever its indentation.
- Words such as `input` are tokens of their own kind only as the first word of a logical line, and only where no `=` or
  `,` follows (`state = x` assigns to a name); `next` also before a name anywhere. Everywhere else they are names.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NoReturn

from dlc.diagnostics import Note, error
from dlc.spec.lalr import END
from dlc.spec.literals import number_value, string_value
from dlc.spec.source import Span
from dlc.spec.token import Token

MAX_BRACKETS = 200

# fmt: off
RESERVED = frozenset((
    "and", "or", "not", "if", "else", "elif", "for", "in", "is", "true", "false", "none", "inf", "nan",
))
OPENING_WORDS = frozenset((
    "import", "block", "network", "train", "input", "batch", "state", "param", "buffer", "sample", "next", "output",
    "send", "aggregate", "messages", "step", "minimize", "report", "set", "carry",
))
CLAUSE_WORDS = frozenset(("except", "repeat", "with", "reset"))
# fmt: on

TOKEN = re.compile(
    r"""
      (?P<space>[ \t\f]+)
    | (?P<comment>\#[^\n]*)
    | (?P<newline>\n)
    | (?P<name>[^\W\d]\w*)
    | (?P<number>(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?[\d_]+)?\w*)
    | (?P<string>\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''
                |(?!\"\"\"|''')(?:"(?:\\[^\n]|[^"\\\n])*"|'(?:\\[^\n]|[^'\\\n])*'))
    | (?P<op>->|\*\*|//|==|!=|<=|>=|\.{2,3}|[-+*/%@&|~<>=()\[\],:.])
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSERS = {")": "(", "]": "["}


def tokenize(text: str, file: str, line: int = 1, column: int = 1, *, lines: bool = True) -> list[Token]:
    """The tokens of `text`, which starts at `line` and `column` of `file`; END last.

    `lines=False`: one expression, line breaks and indentation mean nothing.

    Raises DlcError at the first stretch of text that is no token.
    """
    return _Lexer(text, file, line, column, lines).run()


class _Lexer:
    def __init__(self, text: str, file: str, line: int, column: int, lines: bool) -> None:
        self.text = text
        self.file = file
        self.line = line
        self.line_start = 1 - column  # the offset in `text` at which the current line starts
        self.lines = lines
        self.brackets: list[Token] = []
        self.logical: list[Token] = []  # the logical line being read
        self.indents = [0]
        self.tokens: list[Token] = []
        self.fresh = lines  # nothing but space has been seen on this physical line

    def run(self) -> list[Token]:
        position, size, match_at = 0, len(self.text), TOKEN.match
        while position < size:
            match = match_at(self.text, position)
            if match is None:
                self.bad_character(position)
            kind, end = match.lastgroup, match.end()
            if kind == "newline":
                self.line += 1
                self.line_start = end
                self.fresh = self.lines
            elif kind != "space" and kind != "comment":
                self.token(str(kind), match.group(), position)
            position = end
        if self.brackets:
            opener = self.brackets[-1]
            raise error("E0106", f"`{opener.text}` is never closed", opener.span, expected=f"`{_partner(opener.text)}`")
        return self.finish(size)

    def token(self, group: str, text: str, position: int) -> None:
        column = position - self.line_start + 1
        if self.fresh and not self.brackets and text != "->":
            self.start_line(position)
        self.fresh = False
        line = self.line
        if group == "string" and "\n" in text:
            self.line += text.count("\n")
            self.line_start = position + text.rindex("\n") + 1
        token = Token(text, text, self.file, line, column, self.line, position + len(text) - self.line_start + 1)
        if group == "name":
            self.name(token)
        elif group == "number":
            token.kind, token.value = "NUMBER", number_value(text, token.span)
        elif group == "string":
            token.kind, token.value = "STRING", string_value(text, token.span)
        elif text in "([":
            self.open(token)
        elif text in ")]":
            self.close(token)
        self.logical.append(token)

    def name(self, token: Token) -> None:
        text = token.text
        if not text.isascii() and (not text.isidentifier() or unicodedata.normalize("NFKC", text) != text):
            plain = unicodedata.normalize("NFKC", text)
            hint = f"write `{plain}`" if plain.isidentifier() and plain != text else None
            raise error("E0103", f"`{text}` is not a name", token.span, hint=hint)
        before = self.logical[-1] if self.logical else None
        if before is not None and (before.kind, text) in _PAIRS:
            before.kind = _PAIRS[before.kind, text]
            before.text, before.end_line, before.end_column = before.kind, token.end_line, token.end_column
            self.logical.pop()
            token.kind, token.text = before.kind, before.text
            token.line, token.column = before.line, before.column
        elif text not in RESERVED:
            if before is not None and before.kind == "NAME" and before.text == "next":
                before.kind = "next"
            token.kind = "NAME"

    def open(self, token: Token) -> None:
        if len(self.brackets) >= MAX_BRACKETS:
            raise error(
                "E0107",
                "brackets are nested too deeply",
                token.span,
                found=f"{len(self.brackets) + 1} open brackets",
                expected=f"at most {MAX_BRACKETS}",
            )
        self.brackets.append(token)

    def close(self, token: Token) -> None:
        if not self.brackets:
            raise error("E0106", f"`{token.text}` closes nothing", token.span)
        opener = self.brackets.pop()
        if opener.text != _CLOSERS[token.text]:
            raise error(
                "E0106",
                f"`{token.text}` cannot close `{opener.text}`",
                token.span,
                found=f"`{token.text}`",
                expected=f"`{_partner(opener.text)}`",
                notes=[Note(f"`{opener.text}` was opened here", opener.span)],
            )

    def start_line(self, position: int) -> None:
        """Ends the logical line before and compares the indentation of the one that starts at `position`."""
        indent = self.text[self.line_start : position]
        if indent.strip(" "):
            at = self.line_start + len(indent) - len(indent.lstrip(" "))
            raise error(
                "E0102",
                "a tab in the indentation",
                self.span(at, at + 1),
                found="a tab",
                expected="spaces",
                hint="indent by 4 spaces",
            )
        self.end_line()
        width = len(indent)
        if width > self.indents[-1]:
            self.indents.append(width)
            self.mark("INDENT", position)
            return
        closed = width
        while width < self.indents[-1]:
            closed = self.indents.pop()
            self.mark("DEDENT", position)
        if width != self.indents[-1]:
            raise error(
                "E0102",
                "this indentation matches no line above",
                self.span(self.line_start, position),
                found=f"{width} spaces",
                expected=f"{self.indents[-1]} or {closed} spaces",
            )

    def end_line(self) -> None:
        if not self.logical:
            return
        retag(self.logical)
        self.tokens.extend(self.logical)
        last = self.logical[-1]
        self.tokens.append(
            Token("NEWLINE", "", self.file, last.end_line, last.end_column, last.end_line, last.end_column + 1)
        )
        self.logical = []

    def finish(self, size: int) -> list[Token]:
        if self.lines:
            self.end_line()
            for _ in self.indents[1:]:
                self.mark("DEDENT", size)
        else:
            self.tokens.extend(self.logical)
        last = next((token for token in reversed(self.tokens) if token.text), None)
        line, column = (last.end_line, last.end_column) if last else (self.line, 1)
        self.tokens.append(Token(END, "", self.file, line, column, line, column + 1))
        return self.tokens

    def mark(self, kind: str, position: int) -> None:
        column = position - self.line_start + 1
        self.tokens.append(Token(kind, "", self.file, self.line, column, self.line, column))

    def span(self, start: int, end: int) -> Span:
        return Span(self.file, self.line, start - self.line_start + 1, self.line, end - self.line_start + 1)

    def bad_character(self, position: int) -> NoReturn:
        character = self.text[position]
        if character in "\"'":
            triple = self.text.startswith(character * 3, position)
            end = self.text.find("\n", position)
            quote = character * 3 if triple else character
            raise error(
                "E0104",
                "this string is never closed" if triple else "this string is not closed on its line",
                self.span(position, position + 3 if triple else len(self.text) if end < 0 else end),
                expected=f"`{quote}`",
            )
        raise error(
            "E0103", _not_a_token(character), self.span(position, position + 1), hint=_CHARACTER_HINTS.get(character)
        )


_PAIRS = {("is", "not"): "is not", ("not", "in"): "not in"}
_CHARACTER_HINTS = {
    "\\": "a line goes on inside brackets, or where the next line starts with `->`",
    "!": "write `not`, or `~` for a bool tensor",
    "^": "write `**` for a power",
    "{": "the language has lists, `[...]`, and keyword arguments, but no dictionaries or sets",
    "}": "the language has lists, `[...]`, and keyword arguments, but no dictionaries or sets",
    "?": "a dimension of any size is a name, `float[N, 3]`; a choice is `a if condition else b`",
    ";": "write one statement a line",
    "→": "write `->`",
    "×": "write `*`",
    "−": "write `-`",
    "“": 'write `"`',
    "”": 'write `"`',
    "‘": "write `'`",
    "’": "write `'`",
}


def _not_a_token(character: str) -> str:
    if character.isprintable():
        return f"`{character}` means nothing here"
    return f"the character U+{ord(character):04X} is not allowed here"


def _partner(opener: str) -> str:
    return ")" if opener == "(" else "]"


def retag(line: list[Token]) -> None:
    """Gives the words that open a logical line, and those that divide it, their own kind."""
    first = line[0]
    if first.kind not in ("NAME", "next") or first.text not in OPENING_WORDS:
        return
    if len(line) > 1 and line[1].kind in ("=", ","):
        first.kind = "NAME"
        return
    first.kind = first.text
    if first.kind == "messages":
        _retag_outside_brackets(line, 4, {"along"}, once=True)
        _retag_outside_brackets(line, 6, {"into"}, once=True)
    elif first.kind in ("step", "carry"):
        _retag_outside_brackets(line, 2, CLAUSE_WORDS, once=False)


def _retag_outside_brackets(line: list[Token], start: int, words: frozenset[str] | set[str], *, once: bool) -> None:
    depth = 0
    for before, token in zip(line[start - 1 :], line[start:], strict=False):
        if token.text in ("(", "[") and token.kind == token.text:
            depth += 1
        elif token.text in (")", "]") and token.kind == token.text:
            depth -= 1
        elif depth == 0 and token.kind == "NAME" and token.text in words and before.kind != ".":
            token.kind = token.text
            if once:
                return
