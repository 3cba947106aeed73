"""What a node of a Form computes, as an expression: ops, calls, draws."""

from __future__ import annotations

import ast

from dlc.backends.common import given_sizes, held
from dlc.backends.common.form import (
    PREPARE,
    Convention,
    Fetch,
    Invoke,
    Items,
    Known,
    Make,
    Node,
    Own,
    Ref,
    Run,
    Sample,
    Slot,
    Spread,
    Temp,
    Value,
    Var,
)
from dlc.backends.common.native import Arguments
from dlc.backends.common.operands import Operands
from dlc.backends.common.quote import name, quote
from dlc.backends.common.rule import Site
from dlc.backends.common.values import written
from dlc.dims import Size
from dlc.ir import TensorType


class Expressions(Operands):
    """Nodes that give results, as code."""

    def expression(self, node: Node) -> ast.expr:
        match node:
            case Run():
                return self._run(node)
            case Invoke():
                return self._invoke(node)
            case Fetch():
                target = self._fetch(node)
                return self.dialect.snapshot(target) if node.stored else target
            case Sample():
                shape = [self.value(value) for value in node.shape]
                return self.dialect.draw(node, shape, [self.value(value) for value in node.arguments], self)
            case _:
                raise TypeError(type(node).__name__)

    def tensor(self, ref: Ref) -> ast.expr:
        """An operand that must be a tensor."""
        if isinstance(ref, Temp) and ref.id in self.numbers:
            return self.dialect.number(*self.numbers[ref.id], self.kinds[ref.id], self)
        return self.ref(ref)

    def _fetch(self, node: Fetch) -> ast.expr:
        """A parameter of another instance, by its path."""
        target = self.slot(node.slot)
        make = self._make(node.slot)
        native = None if make is None else self.owner.folding.of(make.target).native
        for part in node.parameter.split("."):
            here = quote("$x[$i]", x=target, i=int(part)) if part.isdigit() else None
            target = here or self.dialect.member(target, part, native)
            native = None
        return target

    def _run(self, node: Run) -> ast.expr:
        operands: list[ast.expr] = []
        numbers: list[object] = []
        for operand in node.operands:
            if isinstance(operand, Spread):
                operands.append(ast.Starred(self._spread(operand), ast.Load()))
                numbers.append(None)
                continue
            number = self.numbers.get(operand.id) if isinstance(operand, Temp) else None
            operands.append(number[0] if number is not None else self.ref(operand))
            numbers.append(None if number is None else number[1])
        site = Site(
            node.op,
            tuple(operands),
            node.types,
            node.result_types,
            {word: self.value(value) for word, value in node.attributes},
            {word: self.plain(value) for word, value in node.attributes},
            Tools(self),
            above=tuple(map(self.facts.above, node.operands)) if "softmax" in node.op else (),
            numbers=tuple(numbers),
            derived={word: _derived(value) for word, value in node.attributes},
            everywhere=node.everywhere,
        )
        return self.dialect.op(site)

    def _invoke(self, node: Invoke) -> ast.expr:
        if isinstance(node.target, Convention):
            return self._given(node, node.target)
        callee = self.owner.folding.of(node.target)
        sizes = given_sizes.ports(callee.members[0].module)
        given = {
            word: self.ref(ref) if word in sizes else self.tensor(ref) for word, ref in node.inputs if ref is not None
        }
        make = self._make(node.slot)
        if make is None:  # a given layer is an object
            make = Make(node.slot, callee.block, node.target, (), (), ())
        if callee.native is not None and callee.native.construct is None:
            assert callee.native.apply is not None
            return callee.native.apply(given, self.native_arguments(make))
        optional = {} if callee.form is None else dict(callee.form.method(node.part).inputs)
        args = [code for word, code in given.items() if not optional.get(word)]
        args += [self.tensor(ref) for ref in node.states]
        layers = self.layers(node)
        keywords = [
            ast.keyword(self.argument(callee, word, node.part), code)
            for word, code in given.items()
            if optional.get(word)
        ]
        if self.owner.is_function(callee) and not held.is_held(node.slot.site):
            keywords += self.constants_of(make)
            return ast.Call(self.owner.function(callee), [*args, *layers.values()], keywords)
        target = self.slot(node.slot)
        if callee.native is not None and callee.native.apply is not None:
            return callee.native.apply({**given, "layer": target}, self.native_arguments(make))
        if node.part == PREPARE:
            target = ast.Attribute(target, PREPARE, ast.Load())
        return self.dialect.layer(target, args, layers, keywords)

    def _given(self, node: Invoke, convention: Convention) -> ast.expr:
        """A call of a given layer, whatever its class."""
        given = {word: self.tensor(ref) for word, ref in node.inputs if ref is not None}
        args = [given[word] for word, by_keyword in convention.inputs if not by_keyword]
        args += [self.tensor(ref) for ref in node.states]
        keywords = [ast.keyword(word, given[word]) for word, by_keyword in convention.inputs if by_keyword]
        return self.dialect.layer(self.slot(node.slot), args, {}, keywords)

    def _make(self, slot: Slot) -> Make | None:
        """What makes an instance; None for a given layer. Turns of a written-out loop differ in what they make."""
        return self.turns.get(slot) or self.makes.get(slot.site)

    def native_arguments(self, make: Make) -> Arguments:
        pairs = (*make.hyperparameters, *make.dims)
        return Arguments(
            {word: self.value(value) for word, value in pairs}, {word: written(value) for word, value in pairs}
        )


class Tools:
    """`rule.Tools` over a Body."""

    def __init__(self, body: Expressions):
        self.body = body

    def helper(self, word: str) -> ast.expr:
        return self.body.owner.helper(word)

    def module(self, word: str) -> ast.expr:
        return self.body.owner.module(word)

    def size(self, size: Size) -> ast.expr:
        return self.body.size(size)

    @property
    def precision(self) -> str:
        return self.body.dialect.precision

    def device(self) -> list[ast.keyword]:
        return self.body.dialect.device(self.anchor())

    def full(self, code: ast.expr, value: object, shape: list[ast.expr], kind: TensorType) -> ast.expr:
        return self.body.dialect.full(code, value, shape, kind, self.anchor())

    def anchor(self) -> ast.expr | None:
        """The first input, or what its name stands for now; else the first parameter."""
        form = self.body.form
        sizes = self.body.given_sizes
        tensors = [word for word in self.body.arguments if word not in sizes and not held.is_held(word)]
        for word in tensors:
            if all(map(self._is_tensor, self.body.contents.get(word, ()))):
                return name(self.body.variables[word])
        if tensors:
            return self.body.own(tensors[0])
        return self.body.owner.own(form.weights[0].name) if form.weights else None

    def _is_tensor(self, content: object) -> bool:
        """False for a list, for nothing, and for what may be printed as a number."""
        if not isinstance(content, Temp):
            return isinstance(content, Own | Var)
        kind = self.body.kinds.get(content.id)
        return kind is None or kind.rank > 0


def _derived(value: Value) -> tuple[bool, ...]:
    return tuple(isinstance(item, Known) and item.derived for item in value.items) if isinstance(value, Items) else ()
