"""Constants, sizes and compile-time expressions in a body."""

from __future__ import annotations

import ast
from typing import cast

from dlc import dims
from dlc.backends.common import held, values
from dlc.backends.common.context import static_names
from dlc.backends.common.evaluate import Unknown
from dlc.backends.common.expression import python
from dlc.backends.common.form import Extent, Formula, Items, Known, Runtime, Turns, Value
from dlc.backends.common.printing import Printing
from dlc.backends.common.quote import literal, name, quote
from dlc.backends.common.rule import VARIES
from dlc.dims import Dim, Size
from dlc.spec import syntax
from dlc.spec.syntax import Expr


class Constants(Printing):
    """Values of `form.Value` as code."""

    def value(self, value: Value) -> ast.expr:
        match value:
            case Known(known):
                return literal(known)
            case Formula(source):
                return self._source(source)
            case Runtime(size):
                return self.size(size)
            case Items(items):
                return ast.Tuple([self.value(item) for item in items], ast.Load())
            case Turns(depth):
                return self._turn(depth)
            case Extent(source):
                return self._source(source)

    def plain(self, value: Value) -> object:
        """The plain value where all modules agree, item by item; else VARIES."""
        match value:
            case Known(known):
                return known
            case Items(items):
                return tuple(self.plain(item) for item in items)
            case Formula():
                return self._common(value)
            case _:
                return VARIES

    def _common(self, value: Formula) -> object:

        if self.frames:
            return VARIES
        try:
            found = [values.value_of(value, static_names(module), module.homes, ()) for module in self.form.modules]
        except Unknown:
            return VARIES
        alike = all(type(one) is type(found[0]) and one == found[0] for one in found)
        return found[0] if alike and not isinstance(found[0], Dim) else VARIES

    def _turn(self, depth: int) -> ast.expr:
        frame = self.frames[depth]
        iterable = frame.node.iterable
        match iterable:
            case syntax.Call(syntax.Name("range"), (_,)) if frame.node.targets[0] in frame.targets:
                frame.used.add(frame.node.targets[0])
                return name(frame.targets[frame.node.targets[0]])
            case _:
                if frame.index is None:
                    frame.index = self.scope.allocate("turn")
                return name(frame.index)

    def size(self, size: Size) -> ast.expr:
        """A size in the symbols `port.axis` as code."""

        def leaf(symbol: str | int) -> object:
            return literal(symbol) if isinstance(symbol, int) else self._home(symbol)

        def operate(op: str, left: object, right: object) -> object:
            return quote(f"$a {op} $b", a=left, b=right)

        return cast(ast.expr, dims.fold(size, leaf, operate))

    def _home(self, symbol: str) -> ast.expr:
        port, axis = symbol.rsplit(".", 1)
        module = next(m for m in self.form.modules if any(f"{h.port}.{h.axis}" == symbol for h in m.homes))
        home = next(h for h in module.homes if f"{h.port}.{h.axis}" == symbol)
        extent = self._extent(port, int(axis))
        found = dims.linear(home.size, home.symbol)
        assert found is not None, "a home is linear in its symbol"
        slope, start = found
        rest = extent if start == 0 else quote("$x - $z", x=extent, z=self.size(values.to_homes(start, module.homes)))
        return rest if slope == 1 else quote("$x // $k", x=rest, k=self.size(values.to_homes(slope, module.homes)))

    def _extent(self, port: str, axis: int) -> ast.expr:
        """The size of an input's axis (from the end, if negative); of a given size, the input itself."""
        if port in self.given_sizes:
            return self.own(port)
        if self.is_rebound(port):
            return name(self.size_before(port, axis))
        return self.dialect.extent(self.own(port), axis)

    def _source(self, source: Expr) -> ast.expr:
        return python(source, self._name, self.owner.module)

    def _name(self, word: str) -> ast.expr:
        if values.is_size(word):
            variable, axis = word.rsplit(".", 1)
            return self.dialect.extent(name(self.variables[variable]), int(axis))
        for frame in reversed(self.frames):
            if word in frame.targets:
                frame.used.add(word)
                return name(frame.targets[word])
        if word == "training":
            return self.dialect.training()
        if word in self.given_sizes:
            return self.own(word)
        if word in self.arguments:
            return name(self.arguments[word])
        if held.MARK + word in self.arguments:
            return name(self.arguments[held.MARK + word])
        constant = self.owner.constant(word)
        if constant is not None:
            return constant
        place = self.owner.declared_axis(word)
        if place is None:
            return self.size(self._solved(word))
        return self._extent(*place)

    def _solved(self, word: str) -> Size:
        """The size of a dimension that stands in no shape alone (`float[N, 4 * K]`), in the symbols `port.axis`."""
        module = self.form.modules[0]
        size = dict(module.dims).get(word)
        if size is None:
            raise Unknown(f"`{word}` is not known at run time")
        return values.to_homes(size, module.homes)
