"""The tokens of one line of IR text, and what is read from them: names, types, sizes, constants."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeVar

from dlc.dims import Size, add, floor_divide, multiply, negative, subtract, symbol
from dlc.ir import BlockId, Content, Distribution, Lane, LayerRef, Static, Template, TensorType

T = TypeVar("T")

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<float>\d+(?:\.\d*)?e[+-]?\d+|\d+\.\d*)|(?P<int>\d+)
    |(?P<name>[A-Za-z_][A-Za-z_0-9.\#]*)|(?P<sign>->|//|\*\*|[-%:=,;()\[\]{}<>~@+*|?]))""",
    re.VERBOSE,
)
_FIXED: dict[str, object] = {
    "True": True, "False": False, "None": None, "inf": float("inf"), "nan": float("nan")
}  # fmt: skip


class IRTextError(ValueError):
    """The text is no program."""


class Line:
    """The tokens of one line, taken from the left."""

    def __init__(self, numbered: tuple[int, str]):
        self.number, self.text = numbered
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        position, end = 0, len(self.text.rstrip())
        while position < end:
            match = _TOKEN.match(self.text, position)
            if match is None or match.lastgroup is None:
                raise IRTextError(f"line {self.number}: cannot read {self.text[position:]!r}")
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            position = match.end()

    def wrong(self, expected: str) -> IRTextError:
        found = self.tokens[self.at][1] if self.at < len(self.tokens) else "the end of the line"
        return IRTextError(f"line {self.number}: found {found}, expected {expected}: {self.text.strip()}")

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ("end", "")

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def accept(self, text: str) -> bool:
        kind, found = self.peek()
        if found != text or kind not in ("sign", "name"):
            return False
        self.at += 1
        return True

    def word(self, text: str) -> None:
        if not self.accept(text):
            raise self.wrong(text)

    def end_with(self, result: T) -> T:
        if self.peek()[0] != "end":
            raise self.wrong("the end of the line")
        return result

    def name(self) -> str:
        kind, found = self.peek()
        if kind not in ("name", "text"):
            raise self.wrong("a name")
        self.at += 1
        return found if kind == "name" else json.loads(found)

    def integer(self) -> int:
        if self.peek()[0] != "int":
            raise self.wrong("an integer")
        return int(self.next())

    def many(self, one: Callable[[], T], end: str) -> tuple[T, ...]:
        """Items up to the sign `end` ("" for the end of the line), separated by commas."""
        found: list[T] = []
        while not (self.accept(end) if end else self.peek()[0] == "end"):
            if found:
                self.word(",")
            found.append(one())
        return tuple(found)

    def value_id(self) -> int:
        self.word("%")
        return self.integer()

    def operand(self) -> int | None:
        return None if self.accept("none") else self.value_id()

    def content(self) -> Content:
        if self.accept("["):
            return self.many(self.content, "]")
        return self.operand()

    def block(self) -> BlockId:
        file = self.name()
        self.word(":")
        return BlockId(file, self.name())

    def type(self) -> TensorType:
        dtype = self.name()
        self.word("[")
        return TensorType(dtype, self.many(self.size, "]"))

    def typed(self) -> tuple[int, TensorType]:
        value = self.value_id()
        self.word(":")
        return value, self.type()

    def pair(self) -> tuple[str, Static]:
        name = self.name()
        self.word("=")
        return name, Static(self.value())

    def pairs(self, end: str = "") -> tuple[tuple[str, Static], ...]:
        return self.many(self.pair, end)

    def size_pair(self) -> tuple[str, Size]:
        name = self.name()
        self.word("=")
        return name, self.size()

    def lane(self) -> Lane:
        name = self.name()
        self.word("@")
        return Lane(name, self.integer())

    def distribution(self) -> Distribution:
        name = self.name()
        self.word("(")
        return Distribution(name, self.many(lambda: Static(self.value()), ")"))

    def value(self) -> object:
        kind, found = self.peek()
        if kind == "text":
            return json.loads(self.next())
        if kind == "name" and found in _FIXED:
            return _FIXED[self.next()]
        if self.accept("["):
            return self.many(self.value, "]")
        if self.accept("@"):
            return LayerRef(self.integer())
        if self.accept("<"):
            block = self.block()
            return Template(block, self.many(self.pair, ">") if self.accept(",") else self._closed())
        if found == "-" and (self.peek(1)[0] == "float" or self.peek(1)[1] in ("inf", "nan")):
            self.next()
            return -float(self.next())
        return float(self.next()) if kind == "float" else self.size()

    def _closed(self) -> tuple[tuple[str, Static], ...]:
        self.word(">")
        return ()

    def size(self) -> Size:
        result = negative(self._term()) if self.accept("-") else self._term()
        while True:
            if self.accept("+"):
                result = add(result, self._term())
            elif self.accept("-"):
                result = subtract(result, self._term())
            else:
                return result

    def _term(self) -> Size:
        result = self._power()
        while True:
            if self.accept("*"):
                result = multiply(result, self._power())
            elif self.accept("//"):
                result = floor_divide(result, self._power())
            else:
                return result

    def _power(self) -> Size:
        base = self._atom()
        if not self.accept("**"):
            return base
        result: Size = 1
        for _ in range(self.integer()):
            result = multiply(result, base)
        return result

    def _atom(self) -> Size:
        if self.accept("("):
            inner = self.size()
            self.word(")")
            return inner
        return self.integer() if self.peek()[0] == "int" else symbol(self.name())
