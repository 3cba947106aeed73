"""One block as Keras code: a Layer class, or a function where there is nothing to own."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dlc.backends.common import held
from dlc.backends.common.body import Body
from dlc.backends.common.constructor import reads_training
from dlc.backends.common.evaluate import Unknown
from dlc.backends.common.folding import Folded, Folding
from dlc.backends.common.form import PREPARE, Branch, Form, Loop, Make, Sample, walk
from dlc.backends.common.names import Scope, identifier
from dlc.backends.common.quote import dotted, name, quote
from dlc.backends.common.rule import Site
from dlc.backends.common.shapes import axis_of, factor_of
from dlc.backends.tensorflow.axes import place
from dlc.backends.tensorflow.declared import axis_words
from dlc.backends.tensorflow.dialect import KerasDialect
from dlc.backends.tensorflow.early import Early, early_reads
from dlc.backends.tensorflow.rules.code import DTYPE_NAMES
from dlc.backends.tensorflow.words import MASK, attribute_name
from dlc.ir import BlockId, Module
from dlc.spec.syntax import Block, Constant, Expr, ListLiteral, Unary

#: What no argument of a constructor may be called: keras.layers.Layer's own, and the modules that its body reads.
TAKEN = ("dtype", "functools", "keras", "math", "name", "np", "ops", "tf", "trainable", "training")


@dataclass(slots=True)
class FileContext:
    """What all classes of one file share. `last`: channels-last inputs by (program, module key)."""

    folding: Folding
    scope: Scope
    last: Mapping[tuple[int, str], frozenset[str]]
    kernels: Mapping[BlockId, frozenset[str]]
    precision: str = "f32"
    names: dict[int, str] = field(default_factory=dict[int, str])
    #: Helper functions that were asked for; a print that is not taken may have asked, too.
    helpers: set[str] = field(default_factory=set[str])
    early: Early = field(init=False)
    #: See `held.callables`.
    callables: frozenset[tuple[int, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.early = early_reads(self.folding.programs)
        self.callables = held.callables(self.folding, self.is_function)

    def width(self, dtype: str) -> str:
        """Keras' name of an element type; the family float has the file's precision."""
        return DTYPE_NAMES[self.precision if dtype == "float" else dtype]

    def is_function(self, folded: Folded) -> bool:
        """A block without parameters, layers, states, draws and modes is a function of its inputs."""
        form = folded.form
        if form is None:
            return folded.native is not None and folded.native.construct is None
        if (
            form.weights
            or form.states
            or form.parts
            or folded.index in {self.folding.entry(n).index for n in self._programs()}
        ):
            return False
        if dict(form.inputs).get("mask") and self._is_given(folded):
            return False  # whoever is given it calls the input `attention_mask`, as layers do
        for node in walk(form.body):
            if isinstance(node, Make) and not self.is_function(self.folding.of(node.target)):
                return False
            if isinstance(node, Sample) or (isinstance(node, Branch) and reads_training(node)):
                return False
        return True

    def _is_given(self, folded: Folded) -> bool:
        """True for what some block gets as a layer."""
        return any(member.module.key in self.folding.given[member.program] for member in folded.members)

    def _programs(self) -> range:
        return range(len(self.folding.programs))

    def declaration(self, folded: Folded) -> Block | None:
        return self.folding.unit.declarations.get(folded.block)


class Shell:
    """`body.Owner` of one class or function."""

    def __init__(self, context: FileContext, folded: Folded, part: str = ""):
        """`part`: `PREPARE` to print that method of a block in two parts."""
        assert folded.form is not None
        self.context, self.folded, self.folding = context, folded, context.folding
        self.whole: Form = folded.form
        self.form: Form = folded.form if part != PREPARE else folded.form.method(part)
        self.as_function = context.is_function(folded)
        self.dialect = KerasDialect(context.precision)
        self.body = Body(self, self.dialect, folded.form.method(part), context.scope.child(("training",)))
        self.dialect.dimension = self.dimension
        self.weights = {weight.name for weight in self.form.weights}
        loops = [node for node in walk(self.form.body) if isinstance(node, Loop)]
        self.turning = {id(node) for loop in loops for node in walk(loop.body) if isinstance(node, Branch)}
        if not self.as_function and "mask" in self.body.arguments:
            self.body.arguments["mask"] = self.body.variables["mask"] = MASK

    # --- body.Owner --------------------------------------------------------------------------------------------

    def constant(self, word: str) -> ast.expr | None:
        if word not in self.folded.hyperparameters:
            return None
        return name(self.argument(word)) if self.as_function else dotted(f"self.{self.stored(word)}")

    def own(self, word: str) -> ast.expr:
        return dotted(f"self.{attribute_name(word)}")

    def attribute(self, site: str) -> ast.expr:
        return dotted(f"self.{attribute_name(site)}")

    def is_function(self, folded: Folded) -> bool:
        return self.context.is_function(folded)

    def function(self, folded: Folded) -> ast.expr:
        return name(self.context.names[folded.index])

    def module(self, word: str) -> ast.expr:
        return name(word)

    def helper(self, word: str) -> ast.expr:
        self.context.helpers.add(word)
        return name(word)

    def hyperparameter(self, folded: Folded, word: str) -> str:
        return self.argument(word)

    def default(self, folded: Folded, word: str) -> object:
        declaration = self.context.declaration(folded)
        if declaration is None:
            return ...
        found = next((h.default for h in declaration.hyperparameters if h.name == word), None)
        return plain_default(found)

    def declared_axis(self, dimension: str) -> tuple[str, int] | None:
        """The axis as the lowered modules have it."""
        declaration = self.context.declaration(self.folded)
        present = frozenset(port.name for module in self.form.modules for port in (*module.inputs, *module.states))
        found = None if declaration is None else axis_of(declaration, dimension, present)
        found = found or self._searched(dimension)
        if found is None or found[0] not in self._last():
            return found
        port, axis = found
        return port, place(axis, self.rank(port))

    def declared_factor(self, dimension: str) -> tuple[str, int, Expr] | None:
        """The axis as the lowered modules have it, where the dimension stands in a product, and the other factor."""
        declaration = self.context.declaration(self.folded)
        present = frozenset(port.name for module in self.form.modules for port in module.inputs)
        found = None if declaration is None else factor_of(declaration, dimension, present)
        if found is None or found[0] not in self._last():
            return found
        port, axis, other = found
        return port, place(axis, self.rank(port)), other

    def axis_name(self, port: str, axis: int) -> str:
        found = self.axis_names().get(self.body.arguments[port])
        return f"{port}_size" if found is None else found[axis]

    def absence(self, node: Branch) -> ast.expr | None:
        """Where just one of two arms makes layers, the first of these says which it is."""
        site = optional_site(node, self.context)
        if site is None or id(node) in self.turning:
            return None
        word, arm = site
        return quote("$x is not None" if arm == 0 else "$x is None", x=self.attribute(word))

    def is_early(self, weight: str) -> bool:
        """Whether a weight is read before the layer is called."""
        return weight in self.context.early.weights.get(self.form.block, frozenset())

    def is_kernel(self, word: str) -> bool:
        """Whether the parameter is kept as `[*K, I, O]`."""
        return word in self.context.kernels.get(self.form.block, frozenset())

    def dimension(self, site: Site, side: int, axis: int) -> ast.expr | None:
        """See `divided`: the dimension as the body reads it."""
        for word, _ in self.form.modules[0].dims:
            fits = all(_is_dimension(module, word, site, (side, axis)) for module in self.form.modules)
            if fits and self.declared_axis(word) is not None:
                return self.body._name(word)  # pyright: ignore[reportPrivateUsage]
        return None

    def axis_names(self) -> dict[str, list[str]]:
        """What the axes of each required input might be called, by its variable; in the order as the data lie."""
        found: dict[str, list[str]] = {}
        declaration = self.context.declaration(self.folded)
        for word, optional in self.form.inputs:
            ranks = {0} if optional else {rank_of(module, word) for module in self.form.modules}
            rank = ranks.pop()
            if not rank or ranks:
                continue
            names = axis_words(declaration, word, rank)
            if word in self._last():
                names = [names[0], *names[2:], names[1]]
            found[self.body.arguments[word]] = names
        return found

    # --- names -------------------------------------------------------------------------------------------------

    def argument(self, word: str) -> str:
        """A hyperparameter as the constructor's argument."""
        plain = identifier(word)
        return f"{plain}_" if Scope(TAKEN).is_taken(plain) else plain

    def stored(self, word: str) -> str:
        """A hyperparameter as an attribute; a parameter or layer of the same name goes first."""
        sites = {node.slot.site for node in walk(self.whole.body) if isinstance(node, Make)}
        if word in self.weights or word in sites:
            return f"use_{identifier(word)}" if self._is_bool(word) else f"{identifier(word)}_argument"
        return attribute_name(word)

    def _is_bool(self, word: str) -> bool:
        return any(isinstance(dict(m.hyperparameters)[word].value, bool) for m in self.form.modules)

    def _last(self) -> frozenset[str]:
        """Inputs that are channels-last in all modules of the class."""
        part = self.form.modules[0].part
        keys = [(one.program, one.module.key) for one in self.folded.members if one.module.part == part]
        sets = [self.context.last.get(key, frozenset[str]()) for key in keys]
        return frozenset.intersection(*sets) if sets else frozenset()

    def rank(self, port: str) -> int:
        return rank_of(self.form.modules[0], port)

    def _searched(self, dimension: str) -> tuple[str, int] | None:
        """An axis that has the dimension's size in every module, the last one first; in the spec's order of axes."""
        first = self.form.modules[0]
        for port in (*first.inputs, *first.states):
            rank = first.types[port.value].rank
            order = list(range(rank))
            if port.name in self._last():
                order = [0, rank - 1, *range(1, rank - 1)]
            for axis in reversed(range(rank)):
                if all(self._has_size(m, port.name, order[axis], dimension) for m in self.form.modules):
                    return port.name, axis
        return None

    @staticmethod
    def _has_size(module: Module, port: str, axis: int, dimension: str) -> bool:
        ports = {p.name: p.value for p in (*module.inputs, *module.states)}
        if port not in ports or dimension not in dict(module.dims):
            return False
        return module.types[ports[port]].shape[axis] == dict(module.dims)[dimension]


def rank_of(module: Module, port: str) -> int:
    """The rank of an input or state."""
    ports = {p.name: p.value for p in (*module.inputs, *module.states)}
    return module.types[ports[port]].rank


def _is_dimension(module: Module, word: str, site: Site, place: tuple[int, int]) -> bool:
    """Whether the axis has the dimension's size wherever the module has the site's op with the site's types."""
    size = dict(module.dims).get(word)
    for equation in module.body:
        if equation.op == site.op and None not in equation.inputs:
            before = tuple(module.types[value] for value in equation.inputs if value is not None)
            after = tuple(module.types[value] for value in equation.outputs)
            shape = (before, after)[place[0]][0].shape
            if (before, after) in site.everywhere and shape[place[1]] != size:
                return False
    return size is not None


def optional_site(node: Branch, context: FileContext) -> tuple[str, int] | None:
    """The first site that the one arm, of two, is sure to make; the arm."""
    if len(node.arms) != 2 or node.late:
        return None
    sites = [made_sites(arm or (), context) for arm in node.arms]
    if bool(sites[0]) == bool(sites[1]):
        return None
    arm = 0 if sites[0] else 1
    certain = [node for node in node.arms[arm] or () if not isinstance(node, Branch)]  # else a choice below decides
    found = made_sites(certain, context)
    return (found[0], arm) if found else None


def made_sites(body: Sequence[object], context: FileContext) -> list[str]:
    """Sites of the layers (no functions) made in a body, each once."""
    made = [node for node in walk(tuple(body)) if isinstance(node, Make)]  # type: ignore[arg-type]
    return list(dict.fromkeys(n.slot.site for n in made if not context.is_function(context.folding.of(n.target))))


def plain_default(default: Expr | None) -> object:
    """A default as a plain value; Ellipsis if there is none or it is no constant."""
    match default:
        case Constant(value):
            return value
        case Unary("-", Constant(value)) if isinstance(value, int | float):
            return -value
        case ListLiteral(items):
            values = tuple(plain_default(item) for item in items)
            return ... if ... in values else values
        case _:
            return ...


__all__ = ["FileContext", "Shell", "Unknown", "attribute_name", "made_sites", "optional_site", "plain_default"]
