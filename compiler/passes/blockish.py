"""What the text of a block says about its names: which stand for blocks, which for tensors. Nothing is executed."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlc.ops import OPS
from dlc.passes import static
from dlc.passes.things import BlockDeclaration
from dlc.passes.walking import Part, bound_names, own_expressions, parts, walk
from dlc.spec import syntax

ROUNDS = 2  # over the body, so that what a loop's end binds is known at its start


@dataclass(slots=True)
class Text:
    """`blockish`: names that stand for blocks or lists of blocks: hyperparameters, and local names bound to such.

    `tensors`: names bound to tensors, as far as the text tells.
    """

    declaration: BlockDeclaration
    blockish: set[str] = field(default_factory=set[str])
    tensors: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        hypers = self.declaration.block.hyperparameters
        self.blockish.update(h.name for h in hypers if _element(h.type) == "block")
        for _ in range(ROUNDS):
            for statement in walk(self.declaration.block.body):
                self._note(statement)

    def _note(self, statement: syntax.Statement) -> None:
        names = bound_names(statement)
        if not isinstance(statement, syntax.Assign | syntax.For):
            self.tensors.update(names)
            return
        for expression in own_expressions(statement):
            if self._holds_block(expression):
                self.blockish.update(names)
            elif self.is_tensor(expression):
                self.tensors.update(names)

    def _holds_block(self, expression: syntax.Expr) -> bool:
        """Whether a block stands in it as a value: `basic`, `basic if shallow else bottleneck`, `zip(units,
        depths)`."""
        match expression:
            case syntax.Name(id=name):
                return self._is_block(name)
            case syntax.ListLiteral(items=items):
                return any(map(self._holds_block, items))
            case syntax.Conditional(body=body, orelse=orelse):
                return self._holds_block(body) or self._holds_block(orelse)
            case syntax.Index(value=value):
                return self._holds_block(value)
            case syntax.Binary(left=left, right=right):
                return self._holds_block(left) or self._holds_block(right)
            case syntax.Call(function=syntax.Name(id="zip" | "enumerate" | "reversed"), args=args):
                return any(map(self._holds_block, args))
            case _:
                return False

    def _is_block(self, name: str) -> bool:
        return name in self.blockish or (name not in self.tensors and self._declared(name) is not None)

    def _declared(self, name: str) -> BlockDeclaration | None:
        if any(h.name == name for h in self.declaration.block.hyperparameters):
            return None
        return self.declaration.scope.base(name)

    def is_tensor(self, expression: syntax.Expr) -> bool:
        """Whether a tensor stands anywhere in an expression."""
        return any(self._is_tensor_part(part) for part in parts(expression))

    def _is_tensor_part(self, part: Part) -> bool:
        match part:
            case syntax.Name(id=name):
                return name in self.tensors
            case syntax.Next():
                return True
            case syntax.Call(function=syntax.Name(id=name)):
                declared = self._declared(name)
                return (declared is not None and not _required(declared)) or (
                    declared is None and name in OPS and name not in static.FUNCTIONS
                )
            case _:
                return False

    def makes_instance(self, call: syntax.Call) -> bool:
        """Whether `f(a, b=c)` leaves a required input of the block f open."""
        name = leftmost(call.function)
        if name is None or not self._is_block(name):
            return False
        declared = None if name in self.blockish else self._declared(name)
        if declared is None:
            return not any(map(self.is_tensor, [*call.args, *(k.value for k in call.keywords)]))
        inputs = {i.name for i in declared.inputs}
        given = any(k.name in inputs for k in call.keywords) or any(map(self.is_tensor, call.args))
        return bool(_required(declared)) and not given

    def templates(self, call: syntax.Call) -> list[syntax.Call]:
        """The arguments of a call that fill `block` hyperparameters: no instance is made of them here."""
        declared = self._declared(call.function.id) if isinstance(call.function, syntax.Name) else None
        if declared is None:
            return []
        hypers = declared.block.hyperparameters
        kinds = {h.name: _element(h.type) for h in hypers}
        keywords = {k.name for k in call.keywords}
        wanted = [k.value for k in call.keywords if kinds.get(k.name) == "block"]
        free = [h.name for h in hypers if h.name not in keywords]
        positional = [arg for arg in call.args if not self.is_tensor(arg)]
        wanted += [arg for name, arg in zip(free, positional, strict=False) if kinds[name] == "block"]
        return [part for value in wanted for part in _outer_calls(value)]


def _outer_calls(value: syntax.Expr) -> list[syntax.Call]:
    match value:
        case syntax.Call():
            return [value]
        case syntax.ListLiteral(items=items):
            return [found for item in items for found in _outer_calls(item)]
        case syntax.Conditional(body=body, orelse=orelse):
            return [*_outer_calls(body), *_outer_calls(orelse)]
        case syntax.Comprehension(element=element):
            return _outer_calls(element)
        case _:
            return []


def leftmost(function: syntax.Expr) -> str | None:
    """`f` of `f`, `f[0]`, `f[0][1]`; None for anything else."""
    while isinstance(function, syntax.Index):
        function = function.value
    return function.id if isinstance(function, syntax.Name) else None


def _element(kind: syntax.ConstantType) -> str:
    while kind.element is not None:
        kind = kind.element
    return kind.name


def _required(declaration: BlockDeclaration) -> list[syntax.Input]:
    return [i for i in declaration.inputs if i.default is None]
