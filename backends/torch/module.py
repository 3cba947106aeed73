"""A folded block as torch code: an `nn.Module`, or a function where there is nothing to keep."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dlc.backends.common import computed, given_sizes, held
from dlc.backends.common.body import Body
from dlc.backends.common.construction import Construction
from dlc.backends.common.evaluate import free_names
from dlc.backends.common.expression import python
from dlc.backends.common.fold import Folded
from dlc.backends.common.form import PREPARE, Branch, Form, Known, Make, Value, Weight, walk
from dlc.backends.common.names import Scope
from dlc.backends.common.outline import outline
from dlc.backends.common.quote import call, literal, name, quote, statements
from dlc.backends.common.shapes import axis_of, size_name
from dlc.backends.common.signature import NO_DEFAULT, Argument, parameters
from dlc.backends.torch import initial
from dlc.backends.torch.bounds import named
from dlc.backends.torch.dtypes import dtype_code
from dlc.backends.torch.reserved import MODULE_ATTRIBUTES
from dlc.diagnostics import error
from dlc.ir import FLOATS
from dlc.parameters import network_parameters
from dlc.spec.syntax import Expr

if TYPE_CHECKING:
    from dlc.backends.torch.file import TorchFile


class TorchClass:
    """Prints one folded block; `body.Owner` for its forward code."""

    def __init__(self, file: TorchFile, folded: Folded):
        assert folded.form is not None
        self.file, self.folded, self.folding = file, folded, file.folding
        self.form: Form = folded.form
        #: The form of the method that is being printed.
        self.printed: Form = folded.form
        self.arguments = file.constructor(folded)
        self.by_word = {argument.word: argument for argument in self.arguments}
        self.function_like = file.is_function(folded)
        self.stored: dict[str, str] = {}
        fixed = [file.attribute(weight.name) for weight in self.form.weights]
        fixed += [file.attribute(node.slot.site) for node in walk(self.form.body) if isinstance(node, Make)]
        self.attributes = Scope({*MODULE_ATTRIBUTES, *fixed})
        self.block = file.declarations.get(folded.block)
        self.absent_sites: dict[int, str] = {}

    # --- what a body asks --------------------------------------------------------------------------------------

    def constant(self, word: str) -> ast.expr | None:
        argument = self.by_word.get(word)
        if argument is None:
            return None
        if self.function_like:
            return name(argument.name)
        if word not in self.stored:
            self.stored[word] = self._attribute_name(argument)
        return quote("self.$attr", attr=self.stored[word])

    def _attribute_name(self, argument: Argument) -> str:
        return self.attributes.allocate(argument.name)

    def own(self, word: str) -> ast.expr:
        return quote("self.$attr", attr=self.file.attribute(word))

    def attribute(self, site: str) -> ast.expr:
        return quote("self.$attr", attr=self.file.attribute(site))

    def is_function(self, folded: Folded) -> bool:
        return self.file.is_function(folded)

    def function(self, folded: Folded) -> ast.expr:
        return name(self.file.names[folded.index])

    def module(self, word: str) -> ast.expr:
        return self.file.module(word)

    def helper(self, word: str) -> ast.expr:
        return self.file.helper(word)

    def hyperparameter(self, folded: Folded, word: str) -> str:
        return next((one.name for one in self.file.constructor(folded) if one.word == word), word)

    def default(self, folded: Folded, word: str) -> object:
        for argument in self.file.constructor(folded):
            if argument.word == word:
                return argument.default
        return NO_DEFAULT

    def declared_axis(self, dimension: str) -> tuple[str, int] | None:
        if self.block is None:
            return None
        present = frozenset(word for word, _ in self.printed.inputs) | frozenset(self.printed.states)
        return axis_of(self.block, dimension, present)

    def axis_name(self, port: str, axis: int) -> str:
        return size_name(self.block, port, axis)

    def absence(self, node: Branch) -> ast.expr | None:
        site = self.absent_sites.get(id(node))
        if site is None:
            return None
        first = node.arms[0] or ()
        empty = not any(isinstance(one, Make) and one.slot.site == site for one in first)
        return quote("$s is None" if empty else "$s is not None", s=self.attribute(site))

    # --- definitions -------------------------------------------------------------------------------------------

    def print(self) -> list[ast.stmt]:
        return [self._function()] if self.function_like else [self._class()]

    def _function(self) -> ast.stmt:
        scope = self.file.scope.child(argument.name for argument in self.arguments)
        body = Body(self, self.file.dialect, self.form, scope)
        lines = outline(body.print(), 1, body.scope.allocate)
        args, defaults = self._forward_arguments(body)
        extra, more = parameters(self.arguments)
        required = len(extra) - len(more)
        kept = args[: len(args) - len(defaults)]
        arguments = ast.arguments(
            [],
            [*kept, *extra[:required], *args[len(kept) :], *extra[required:]],
            None,
            [],
            [],
            None,
            [*defaults, *more],
        )
        return _define(self.file.names[self.folded.index], arguments, self._returns(), [*self._doc(), *lines])

    def _class(self) -> ast.stmt:
        construction = Construction(self)
        made = construction.print()
        methods = [self._method(word) for word in ((PREPARE, "forward") if self.form.parts else ("forward",))]
        read = {node.attr for method in methods for node in ast.walk(method) if isinstance(node, ast.Attribute)}
        stored = [
            line
            for word, attribute in self.stored.items()
            if attribute in read
            for line in statements("self.$a = $x", a=attribute, x=name(self.by_word[word].name))
        ]
        weights, fills = self._weights()
        given, initials = parameters(self.arguments)
        init_arguments = ast.arguments([], [ast.arg("self"), *given], None, [], [], None, initials)
        filled = named(fills, construction.scope.allocate)
        init_body = [*statements("super().__init__()"), *stored, *weights, *made, *filled, *self._converted()]
        init = _define("__init__", init_arguments, ast.Constant(None), init_body)
        buffers: list[ast.stmt] = [
            ast.AnnAssign(ast.Name(self.file.attribute(weight.name), ast.Store()), name("Tensor"), None, 1)
            for weight in self.form.weights
            if weight.kind == "buffer"
        ]
        empty = len(init_body) == 1 and not self.arguments
        members: list[ast.stmt] = [*self._doc(), *buffers, *([] if empty else [init]), *methods]
        return ast.ClassDef(self.file.names[self.folded.index], [quote("nn.Module")], [], members, [])

    def _method(self, word: str) -> ast.stmt:
        """`forward`, or `prepare` of a block in two parts."""
        self.printed = self.form.method(word)
        body = Body(self, self.file.dialect, self.printed, self.file.scope.child())
        lines = outline(body.print(), 2, body.scope.allocate)
        args, defaults = self._forward_arguments(body)
        arguments = ast.arguments([], [ast.arg("self"), *args], None, [], [], None, defaults)
        doc = self._doc() if word == PREPARE else []
        return _define(word, arguments, self._returns(), [*doc, *lines])

    def _doc(self) -> list[ast.stmt]:
        doc = self.printed.modules[0].doc
        return [ast.Expr(ast.Constant(doc))] if doc else []

    def _forward_arguments(self, body: Body) -> tuple[list[ast.arg], list[ast.expr]]:
        form = body.form
        sizes = given_sizes.ports(form.modules[0])
        optional = {word for word, by_keyword in form.inputs if by_keyword and word not in sizes}
        args: list[ast.arg] = []
        for word, python_name in body.arguments.items():
            kind = quote("Tensor | None") if word in optional else name("int" if word in sizes else "Tensor")
            if held.is_held(word):
                kind = self._layer_type(word)
            args.append(ast.arg(python_name, kind))
        return args, [ast.Constant(None) for _ in optional]

    def _layer_type(self, word: str) -> ast.expr:
        word = word.removeprefix(held.MARK)
        several = isinstance(dict(self.form.modules[0].hyperparameters)[word].value, tuple)
        is_callable = (self.folded.index, word) in self.file.callables
        one = quote("Callable[..., Tensor]" if is_callable else "nn.Module")
        return quote("Sequence[$one]", one=one) if several else one

    def _returns(self) -> ast.expr:
        count = len(self.printed.outputs) + len(self.printed.next_states)
        if count == 1:
            return name("Tensor")
        return ast.Subscript(name("tuple"), ast.Tuple([name("Tensor") for _ in range(count)], ast.Load()), ast.Load())

    # --- parameters --------------------------------------------------------------------------------------------

    def _weights(self) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """Statements that make the parameters, and those that fill them."""
        made: list[ast.stmt] = []
        fills: list[ast.stmt] = []
        computed_fills: list[ast.stmt] = []
        for weight in self.form.weights:
            lines, fill = self._weight(weight)
            start = self._start(weight) if computed.is_computed(weight) else []
            if weight.condition is not None:
                test, wanted = weight.condition
                code = self.construct(test)
                condition = code if wanted else ast.UnaryOp(ast.Not(), code)
                lines = [ast.If(condition, lines + fill, [])]
                start = [ast.If(condition, start, [])] if start else []
                fill = []
            made += lines
            fills += fill
            computed_fills += start
        if computed_fills:
            fills.append(ast.With([ast.withitem(quote("torch.no_grad()"))], computed_fills))
        return made, fills

    def _converted(self) -> list[ast.stmt]:
        """`self.to(torch.bfloat16)` at the end of a network's constructor: torch draws and factors in float32."""
        network = self.file.entries.get(self.folded.index)
        if network is None or self.file.precision == "f32":
            return []
        kinds = {item.dtype for item in network_parameters(network.inference, network.training)} & set(FLOATS)
        if kinds - {"float", self.file.precision}:
            given = ", ".join(sorted(kinds - {"float"}))
            message = f"the torch backend has no parameters of a fixed width beside those in {self.file.precision}"
            hint = "--precision f32, or another backend"
            raise error("E0709", message, found=f"{given} in `{network.name}`", hint=hint, exit_code=3)
        return statements("self.to($dtype)", dtype=dtype_code("float", self.file.precision)) if kinds else []

    def _start(self, weight: Weight) -> list[ast.stmt]:
        """`self.shift.copy_(scaled_shift(self.gain))`"""
        folded, reads = computed.start(self.file.folding, self.folded, weight)
        value = call(self.file.names[folded.index], *(self.own(word) for word in reads))
        return statements("$x.copy_($value)", x=self.own(weight.name), value=value)

    def _weight(self, weight: Weight) -> tuple[list[ast.stmt], list[ast.stmt]]:
        shape = [self.value(value) for value in weight.shape]
        numbers = [value.value if isinstance(value, Known) else None for value in weight.arguments]
        code = [self.value(value) for value in weight.arguments]
        tensor = initial.tensor(weight.initial.name, shape, numbers, code, weight.dtype, self.file.precision)
        target = self.own(weight.name)
        fill = initial.initialiser(weight.initial.name, target, shape, numbers, code)
        fills: list[ast.stmt] = [] if fill is None else [ast.Expr(fill)]
        if weight.kind == "buffer":
            return statements("self.register_buffer($n, $t)", n=self.file.attribute(weight.name), t=tensor), fills
        return statements("$x = nn.Parameter($t)", x=target, t=tensor), fills

    # --- code at construction ----------------------------------------------------------------------------------

    def construct(self, source: Expr) -> ast.expr:
        return python(source, self._argument, self.file.module)

    def _argument(self, word: str) -> ast.expr:
        return name(self.by_word[word].name)

    def value(self, value: Value) -> ast.expr:
        return Construction(self).value(value)

    def container(self) -> ast.expr:
        return quote("nn.ModuleList")

    def nothing(self) -> ast.expr:
        """What keeps the place of a layer that is not made in a turn."""
        return quote("nn.Identity()")


def reads_mode(form: Form) -> bool:
    """True if the code depends on the mode."""
    return any(
        isinstance(node, Branch) and any("training" in free_names(test) for test in node.tests)
        for node in walk(form.body)
    )


def _define(word: str, arguments: ast.arguments, returns: ast.expr, body: list[ast.stmt]) -> ast.stmt:
    return ast.FunctionDef(word, arguments, body, [], returns, None)


__all__ = ["TorchClass", "call", "literal", "reads_mode"]
