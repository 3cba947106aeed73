"""A unit as one torch file: imports, helpers, functions and classes, factories, weights."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cached_property

from dlc.backends.api import Network, Options, Unit
from dlc.backends.common import held
from dlc.backends.common.evaluate import free_names
from dlc.backends.common.fold import Folded, Folding, fold
from dlc.backends.common.form import Branch, Make, Sample, Step, Store, walk
from dlc.backends.common.groups import holds_block
from dlc.backends.common.layout import print_module
from dlc.backends.common.names import RESERVED, Scope, camel, snake
from dlc.backends.common.quote import call, literal, name, quote, statements
from dlc.backends.common.signature import NO_DEFAULT, Argument, constructor, parameters
from dlc.backends.torch.dialect import TorchDialect
from dlc.backends.torch.helpers import HELPERS
from dlc.backends.torch.loading import weight_functions
from dlc.backends.torch.module import TorchClass
from dlc.backends.torch.natives import NATIVES
from dlc.backends.torch.reserved import MODULE_ATTRIBUTES
from dlc.ir import BlockId, Template
from dlc.spec.syntax import Block

#: What a file imports if it uses the name, in ruff's order.
_IMPORTS = {
    "functools": "import functools",
    "math": "import math",
    "Callable": "from collections.abc import Callable",
    "Sequence": "from collections.abc import Sequence",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
}
_ABSTRACT = ("Callable", "Sequence")
_IMPORTED = (*_IMPORTS, "nn", "Tensor", "load_file", "save_file", "load_weights", "save_weights")


class TorchFile:
    """Prints one unit."""

    def __init__(self, unit: Unit, options: Options):
        self.unit, self.precision = unit, options.precision
        self.dialect = TorchDialect(options.precision, options.natives)
        self.declarations: Mapping[BlockId, Block] = unit.declarations
        self.folding: Folding = fold(unit, NATIVES if options.natives else {})
        self.scope = Scope((*_IMPORTED, *HELPERS))  # a variable of a helper's name would hide it
        self.modules: set[str] = set()
        self.helpers: dict[str, str] = {}
        self.functions: dict[int, bool] = {}
        self.renamed: dict[str, str] = {}
        self.constructors: dict[int, tuple[Argument, ...]] = {}
        self.entries = {
            self.folding.assigned[2 * i, n.inference.entry]: n for i, n in reversed([*enumerate(unit.networks)])
        }
        self.factories: dict[str, str] = {}
        self.names: list[str] = self._names()

    # --- names -------------------------------------------------------------------------------------------------

    def _names(self) -> list[str]:
        """Networks first, so that each has its own name; then blocks."""
        plain: dict[int, str] = {}
        for place, network in enumerate(self.unit.networks):
            index = self.folding.assigned[2 * place, network.inference.entry]
            folded = self.folding.classes[index]
            word = self.scope.allocate(network.name)
            if folded.block.name == network.name and not network.inference.configuration and index not in plain:
                plain[index] = word
            else:
                self.factories[network.name] = word
        return [plain.get(folded.index) or self._name(folded) for folded in self.folding.classes]

    def _name(self, folded: Folded) -> str:
        if folded.native is not None:
            return ""
        if self.is_function(folded):
            return self.scope.allocate(snake(folded.block.name))
        wish = camel(folded.block.name)
        alike = [one for one in self.folding.classes if one.block == folded.block and one.native is None]
        if len(alike) > 1:
            wish += "".join(camel(block) for block in self._templates(folded))
        return self.scope.allocate(wish)

    def _templates(self, folded: Folded) -> list[str]:
        found: list[str] = []
        for _, static in folded.members[0].module.hyperparameters:
            if holds_block(static.value):
                values = static.value if isinstance(static.value, tuple) else (static.value,)
                found += [value.block.name for value in values if isinstance(value, Template)]  # pyright: ignore
        return found

    # --- what classes ask --------------------------------------------------------------------------------------

    def constructor(self, folded: Folded) -> tuple[Argument, ...]:
        if folded.index not in self.constructors:
            self.constructors[folded.index] = constructor(folded, self.declarations, _IMPORTED)
        return self.constructors[folded.index]

    def is_function(self, folded: Folded) -> bool:
        """True for what keeps nothing: no parameters, states, draws, modes, nor layers of its own."""
        if folded.native is not None:
            return folded.native.construct is None
        if folded.index in self.entries:
            return False
        if folded.index not in self.functions:
            self.functions[folded.index] = self._keeps_nothing(folded)
        return self.functions[folded.index]

    @cached_property
    def callables(self) -> frozenset[tuple[int, str]]:
        """See `held.callables`."""
        return held.callables(self.folding, self.is_function)

    def _keeps_nothing(self, folded: Folded) -> bool:
        form = folded.form
        assert form is not None
        if form.weights or form.states or form.parts or folded.dims:
            return False
        for node in walk(form.body):
            if isinstance(node, Sample | Store | Step):
                return False
            if isinstance(node, Branch) and any("training" in free_names(test) for test in node.tests):
                return False
            if isinstance(node, Make) and not self.is_function(self.folding.of(node.target)):
                return False
        return True

    def attribute(self, word: str) -> str:
        """The attribute that holds a parameter or layer: its own name, unless `nn.Module` has that already."""
        if word in MODULE_ATTRIBUTES or word in RESERVED:
            self.renamed[word] = f"{word}_"
        return self.renamed.get(word, word)

    def module(self, word: str) -> ast.expr:
        self.modules.add(word)
        return name(word)

    def helper(self, word: str) -> ast.expr:
        if word not in self.helpers:
            self.helpers[word] = word
        return name(self.helpers[word])

    # --- the file ----------------------------------------------------------------------------------------------

    def print(self) -> str:
        classes: list[ast.stmt] = []
        for folded in self.folding.classes:
            if folded.native is None:
                classes += TorchClass(self, folded).print()
        factories = [self._factory(network) for network in self.unit.networks if network.name in self.factories]
        body = [*classes, *factories, *weight_functions(classes, self.renamed)]
        body = [*self._helpers(), *body]
        return print_module([*self._header(), *self._imports(body), *body])

    def _header(self) -> list[ast.stmt]:
        origin = f"Generated by dlc from {self.unit.file}; do not edit."
        doc = f"{self.unit.doc.strip()}\n\n{origin}" if self.unit.doc else origin
        return [ast.Expr(ast.Constant(doc))]

    def _helpers(self) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for word, given in sorted(self.helpers.items()):
            (definition,) = statements(HELPERS[word])
            assert isinstance(definition, ast.FunctionDef)
            definition.name = given
            out.append(definition)
        return out

    def _imports(self, body: list[ast.stmt]) -> list[ast.stmt]:
        used = {node.id for one in body for node in ast.walk(one) if isinstance(node, ast.Name)}
        found = [line for word, line in _IMPORTS.items() if word in used]
        if used.issuperset(_ABSTRACT):
            place = found.index(_IMPORTS[_ABSTRACT[0]])
            found[place : place + len(_ABSTRACT)] = [f"from collections.abc import {', '.join(_ABSTRACT)}"]
        found.append("from safetensors.torch import load_file, save_file")
        found.append("from torch import Tensor, nn" if "Tensor" in used else "from torch import nn")
        return statements("\n".join(found))

    def _factory(self, network: Network) -> ast.stmt:
        place = self.unit.networks.index(network)
        folded = self.folding.entry(2 * place)
        module = network.inference.table[network.inference.entry]
        values = {word: static.value for word, static in module.hyperparameters}
        bound = {word for word, _ in network.inference.configuration}
        arguments = self.constructor(folded)
        free = [
            Argument(one.word, one.name, one.annotation, values[one.word])
            for one in arguments
            if one.word not in bound and not one.dimension
        ]
        keywords: list[ast.keyword] = []
        for one in arguments:
            if one.dimension:
                keywords.append(ast.keyword(one.name, literal(dict(module.dims)[one.word])))
            elif one.word in bound:
                code = _listed(values[one.word])
                if one.default is NO_DEFAULT or values[one.word] != one.default:
                    keywords.append(ast.keyword(one.name, code))
            else:
                keywords.append(ast.keyword(one.name, name(one.name)))
        args, defaults = parameters(tuple(free))
        class_name = self.names[folded.index]
        body = [ast.Return(ast.Call(name(class_name), [], keywords))]
        arguments_ = ast.arguments([], args, None, [], [], None, defaults)
        return ast.FunctionDef(
            self.factories[network.name], arguments_, list[ast.stmt](body), [], name(class_name), None
        )


def _listed(value: object) -> ast.expr:
    """Lists of the spec are lists."""
    if isinstance(value, tuple):
        return ast.List([_listed(item) for item in value], ast.Load())  # pyright: ignore
    return literal(value)


__all__ = ["NO_DEFAULT", "TorchFile", "call", "quote"]
