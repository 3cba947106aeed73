"""What of a scanned cell is the same at each step: what it computes from captured inputs and parameters alone.

Only what can neither have an effect nor fail counts: no states, draws, buffers, `read`s, layers given by the caller,
indices out of range, or division of integers. Sizes must be known from the captured inputs, too.

Decisions are made per *place* in a block's text and for all modules of a `Way` together (training and inference, with
and without a mask), so that these still are one class.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from dlc import dims
from dlc.check_ir import sizes_of
from dlc.ir import ITSELF, Arm, BlockId, Call, Equation, Module, Scan, Static
from dlc.parameters import layer_references
from dlc.passes.dimensions import homes
from dlc.passes.places import Place, places
from dlc.passes.walking import parts
from dlc.spec.syntax import Expr, Name

#: Ops that are worth being computed once.
WORTHY = frozenset({"matmul", "einsum", "conv", "conv_transpose"})
#: Ops that can fail for some values of their operands: they stay where they are, for a scan may have no steps.
MAY_FAIL = frozenset({"floor_divide", "remainder", "gather", "take_along_axis", "one_hot", "solve"})
PREPARE = "prepare"
_PREFIXES = ("segment_", "scatter")


@dataclass(frozen=True, slots=True)
class Way:
    """How a block is run under a scan: its hyperparameters, and the inputs that differ from step to step."""

    block: BlockId
    hyperparameters: tuple[tuple[str, Static], ...]
    varying: frozenset[str]


@dataclass(slots=True)
class Invariance:
    """Of one module: the equations (by number) and values that are the same at each step.

    `captured`: values that depend on a captured input, not on parameters and constants alone. `inner`: how the calls
    run whose inputs are the same at each step in part.
    """

    equations: set[int] = field(default_factory=set[int])
    values: set[int] = field(default_factory=set[int])
    captured: set[int] = field(default_factory=set[int])
    inner: dict[int, Way] = field(default_factory=dict[int, Way])


class Callees:
    """What the modules of a program do, computed once for each."""

    def __init__(self, table: Mapping[str, Module]):
        self.table = table
        self._pure: dict[str, bool] = {}
        self._worthy: dict[str, bool] = {}

    def pure(self, key: str) -> bool:
        """True for what has no state, draws or buffers, and can't fail."""
        if key not in self._pure:
            module = self.table[key]
            buffers = any(parameter.kind == "buffer" for parameter in module.parameters)
            effects = bool(module.states or module.draws or module.next_buffers or buffers)
            self._pure[key] = not effects and all(map(self._is_pure, module.body))
        return self._pure[key]

    def _is_pure(self, equation: Equation) -> bool:
        match equation.target:
            case Call() | Scan() as target:
                return self.pure(target.module)
            case None:
                return not may_fail(equation.op)
            case _:
                return equation.op == "bind"

    def worthy(self, key: str) -> bool:
        """True for what multiplies matrices, convolves, or goes through steps."""
        if key not in self._worthy:
            self._worthy[key] = any(map(self.is_worthy, self.table[key].body))
        return self._worthy[key]

    def is_worthy(self, equation: Equation) -> bool:
        match equation.target:
            case Call() as target:
                return self.worthy(target.module)
            case Scan():
                return True
            case _:
                return equation.op in WORTHY


def may_fail(op: str) -> bool:
    return op in MAY_FAIL or op.startswith(_PREFIXES)


def splittable(module: Module, early: bool) -> bool:
    """False for what is given layers or sizes by its caller, and where the spec has the name of the part.

    `early`: also for blocks whose layers need sizes that only their inputs tell.
    """
    if early and _makes_late(module):
        return False
    given = any(instance.given is not None or instance.site == PREPARE for instance in module.instances)
    named = any(name == PREPARE for name, _ in (*module.hyperparameters, *module.signature))
    named = named or any(parameter.name == PREPARE for parameter in module.parameters)
    return not given and not named and not module.part and all(home.axis != ITSELF for home in module.homes)


def _makes_late(module: Module) -> bool:
    """True if some layer's hyperparameters, or a loop around it, read a dimension of the block's inputs."""
    constants = {name for name, _ in module.hyperparameters}
    late = {name for name, _ in module.dims} - constants
    values = [value.source for one in module.instances for _, value in one.hyperparameters]
    sources = [*values, *(loop.iterable for loop in module.loops)]
    return any(_names(source) & late for source in sources if source is not None)


def _names(source: Expr) -> set[str]:
    return {part.id for part in parts(source) if isinstance(part, Name)}


def invariance(module: Module, way: Way, callees: Callees, blocked: Iterable[Place], early: bool = False) -> Invariance:
    """What is the same at each step where the inputs `way.varying` and the states differ; `blocked` places do, too.

    `early`: so do the module's own parameters, and calls of blocks whose layers are made late.
    """
    fixed = [port for port in module.inputs if port.name not in way.varying]
    ports = [(port.name, module.types[port.value]) for port in fixed]
    symbols = {name for _, type_ in ports for size in type_.shape for name in dims.symbols(size)}
    known = {home.symbol for home in homes(ports, sorted(symbols))}
    found = Invariance()
    found.values = {port.value for port in fixed}
    found.captured = set(found.values)
    if not early:
        found.values |= {parameter.value for parameter in module.parameters if parameter.kind == "param"}
    refused = set(blocked)
    for number, (equation, place) in enumerate(zip(module.body, places(module), strict=True)):
        if place in refused or not _may_move(module, equation) or _asks(module, equation, way.varying):
            continue
        inputs = [value for value in equation.inputs if value is not None]
        if all(value in found.values for value in inputs):
            if _is_whole(equation, callees) and known.issuperset(_symbols(module, equation)):
                found.equations.add(number)
                found.values.update(equation.outputs)
                if found.captured.intersection(inputs):
                    found.captured.update(equation.outputs)
        elif isinstance(equation.target, Call):
            _partly(found, number, equation, callees.table[equation.target.module], early)
    return found


def _may_move(module: Module, equation: Equation) -> bool:
    match equation.target:
        case Call() | Scan() as target:
            instance = module.instances[target.instance]
            held = instance.given is not None or bool(layer_references(instance))
            return not held
        case None:
            return not may_fail(equation.op)
        case _:
            return False


def tested(module: Module, choice: int) -> set[str]:
    """The inputs whose presence a choice asks for."""
    read = {name for test in module.choices[choice].tests for name in _names(test)}
    return read.intersection(name for name, _ in module.signature)


def _asks(module: Module, equation: Equation, varying: Collection[str]) -> bool:
    """True inside an arm that is taken where an input is there that differs from step to step."""
    arms = (frame.choice for frame in equation.origin.frames if isinstance(frame, Arm))
    return any(tested(module, choice).intersection(varying) for choice in arms)


def _is_whole(equation: Equation, callees: Callees) -> bool:
    return not isinstance(equation.target, Call | Scan) or callees.pure(equation.target.module)


def _partly(found: Invariance, number: int, equation: Equation, callee: Module, early: bool) -> None:
    """A call of which some inputs are the same at each step."""
    pairs = list(zip(callee.inputs, equation.inputs, strict=False))
    varying = frozenset(port.name for port, value in pairs if value not in found.values)
    if splittable(callee, early) and any(value in found.captured for _, value in pairs):
        found.inner[number] = Way(callee.block, callee.hyperparameters, varying)


def _symbols(module: Module, equation: Equation) -> set[str]:
    """The dynamic sizes that an equation needs."""
    shapes = (size for value in equation.outputs for size in module.types[value].shape)
    return {name for size in (*shapes, *sizes_of(equation)) for name in dims.symbols(size)}
