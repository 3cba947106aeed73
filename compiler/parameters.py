"""The parameters and buffers of a network: canonical path, shape, type, initial value.

A path is the owner's path, the instance's path and the parameter's name, joined by dots: `unit.0.1.conv_bn.weight`.
It depends on the spec alone. What an instance owns is what the modules that it is called through declare; they must
declare the same. An instance that reaches a block through a `layer` hyperparameter belongs to where it was made.

Everything is computed once per module, and counted before it is listed, so that a spec which doubles its instances
forty times is told so instead of filling the memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dlc.diagnostics import DlcError, Note, error
from dlc.ir import Call, Distribution, Instance, LayerRef, Module, Parameter, Program, Scan, Static
from dlc.spec.record import record, replace
from dlc.spec.source import Span

LIMIT = 200_000  # instances, and parameters, of one network


@record
class NetworkParameter:
    """One parameter (`kind` "param") or buffer of a network. `shape` has only ints."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    kind: str
    initial: Distribution
    #: What computes the initial value from parameters of the same block, if the distribution is "computed".
    start: Module | None = None


def parameters(program: Program) -> tuple[NetworkParameter, ...]:
    """All parameters and buffers, in the order in which they are declared and their instances made.

    Raises DlcError (E0590) beyond LIMIT instances or parameters, and (E0490) where an instance is called through
    modules whose parameters differ.
    """
    return _Walk(program).parameters(program.entry)


def network_parameters(inference: Program, training: Program) -> tuple[NetworkParameter, ...]:
    """The parameters of a network: those of its training program, then what only inference has (mostly nothing)."""
    first = parameters(training)
    known = {parameter.path for parameter in first}
    return first + tuple(parameter for parameter in parameters(inference) if parameter.path not in known)


def layer_references(instance: Instance) -> dict[str, int]:
    """The instances of the owner that this instance holds, by the hyperparameter that gives them.

    An item of a list of layers goes by `name.index`.
    """
    found: dict[str, int] = {}

    def visit(name: str, value: object) -> None:
        if isinstance(value, Static):
            visit(name, value.value)
        elif isinstance(value, LayerRef):
            found[name] = value.instance
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                visit(f"{name}.{index}", item)

    for name, value in instance.hyperparameters:
        visit(name, value)
    return found


def join(*parts: str) -> str:
    """Path segments joined by dots; empty ones (the network itself) leave no trace."""
    return ".".join(part for part in parts if part)


@record
class _Use:
    """That an instance is called through `module`, somewhere."""

    module: str
    span: Span


#: Uses of an instance that reaches a module by hyperparameters: the chain of their names, outermost first.
_Chain = tuple[str, ...]


@dataclass(slots=True)
class _Walk:
    """Per module: how its own instances are used, how many there are below it, and the parameters below it."""

    program: Program
    table: Mapping[str, Module] = field(init=False)
    local: dict[str, dict[int, dict[str, _Use]]] = field(default_factory=dict)
    given: dict[str, dict[_Chain, dict[str, _Use]]] = field(default_factory=dict)
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    lists: dict[tuple[str, ...], tuple[NetworkParameter, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.table = self.program.table
        for module in self.program.modules:  # callees come before callers
            self._uses(module)
            self._count(module)

    def parameters(self, *keys: str) -> tuple[NetworkParameter, ...]:
        """Of one module, or of both parts of one (`Module.part`); paths relative to its instance."""
        if keys in self.lists:
            return self.lists[keys]
        module = self.table[keys[0]]
        found = [_own(module, parameter, self.table) for parameter in module.parameters]
        for index, instance in enumerate(module.instances):
            uses = self._together(use for key in keys for use in self.local[key].get(index, {}).values())
            if instance.given is not None or not uses:
                continue
            (first, inner), *others = [(use, self.parameters(*modules)) for use, modules in uses]
            for other in others:
                self._require_same(module, instance, (first, inner), other)
            found += [_below(instance.path, parameter) for parameter in inner]
        self.lists[keys] = tuple(found)
        return self.lists[keys]

    def _together(self, uses: Iterable[_Use]) -> list[tuple[_Use, tuple[str, ...]]]:
        """Each use with its module, or the first use of a split block with the modules of all its parts."""
        found: dict[str, tuple[_Use, dict[str, None]]] = {}
        for use in uses:
            part = self.table[use.module].part
            stem = use.module.replace(f".{part}", "") if part else use.module
            found.setdefault(stem, (use, {}))[1][use.module] = None
        return [(use, tuple(modules)) for use, modules in found.values()]

    def _uses(self, module: Module) -> None:
        """Which modules each instance of `module` is called through, here and inside the blocks that it is given to."""
        self.local[module.key], self.given[module.key] = {}, {}
        for equation in module.body:
            target = equation.target
            if not isinstance(target, Call | Scan):
                continue
            self._attach(module, target.instance, (), _Use(target.module, equation.origin.span))
            for chain, uses in self.given[target.module].items():
                for use in uses.values():
                    self._attach(module, target.instance, chain, use)

    def _attach(self, module: Module, index: int, chain: _Chain, use: _Use) -> None:
        instance = module.instances[index]
        if instance.given is not None:
            self.given[module.key].setdefault((instance.given, *chain), {}).setdefault(use.module, use)
        elif chain:
            self._attach(module, layer_references(instance)[chain[0]], chain[1:], use)
        else:
            self.local[module.key].setdefault(index, {}).setdefault(use.module, use)

    def _count(self, module: Module) -> None:
        """Instances and parameters at and below `module`; raises where either is beyond LIMIT."""
        instances, owned = 1, len(module.parameters)
        for uses in self.local[module.key].values():
            below, inner = self.counts[next(iter(uses))]
            instances, owned = instances + below, owned + inner
        for count, what in ((instances, "instances"), (owned, "parameters")):
            if count > LIMIT:
                raise error(
                    "E0590",
                    f"`{module.block.name}` holds more than {LIMIT:,} {what}",
                    module.span,
                    found=f"{count:,} {what}",
                    expected=f"at most {LIMIT:,}",
                )
        self.counts[module.key] = (instances, owned)

    def _require_same(
        self,
        module: Module,
        instance: Instance,
        one: tuple[_Use, Sequence[NetworkParameter]],
        other: tuple[_Use, Sequence[NetworkParameter]],
    ) -> None:
        difference = _difference(one[1], other[1])
        if difference is not None:
            raise _mismatch(instance, one[0], other[0], difference)


def _own(module: Module, parameter: Parameter, table: Mapping[str, Module]) -> NetworkParameter:
    type_ = module.types[parameter.value]
    shape = tuple(size for size in type_.shape if isinstance(size, int))
    if len(shape) != type_.rank:
        raise AssertionError(f"{module.key}: parameter {parameter.name} has the shape {type_}")
    start = table[str(parameter.initial.arguments[0].value)] if parameter.initial.name == "computed" else None
    return NetworkParameter(parameter.name, shape, type_.dtype, parameter.kind, parameter.initial, start)


def _below(path: str, parameter: NetworkParameter) -> NetworkParameter:
    return replace(parameter, path=join(path, parameter.path))


def _difference(one: Sequence[NetworkParameter], other: Sequence[NetworkParameter]) -> tuple[str, str] | None:
    """What the first list has and the second has instead, in words; None where they are equal."""
    left, right = {p.path: p for p in one}, {p.path: p for p in other}
    for path in [*left, *right]:
        a, b = left.get(path), right.get(path)
        if a != b:
            return _words(path, a), _words(path, b)
    return None


def _words(path: str, parameter: NetworkParameter | None) -> str:
    if parameter is None:
        return f"no `{path}`"
    arguments = ", ".join(str(argument.value) for argument in parameter.initial.arguments)
    shape = ", ".join(map(str, parameter.shape))
    return f"{parameter.kind} {path}: {parameter.dtype}[{shape}] ~ {parameter.initial.name}({arguments})"


def _mismatch(instance: Instance, one: _Use, other: _Use, difference: tuple[str, str]) -> DlcError:
    return error(
        "E0490",
        f"two calls of `{instance.path}` need different parameters",
        other.span,
        found=difference[1],
        expected=difference[0],
        notes=(
            Note("the other call is here", one.span),
            Note(f"`{instance.path}` is made here", instance.origin.span),
        ),
    )
