"""Faults in how equations are put together: a backend that is given another program than the one that was checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from dlc import networks
from dlc.backends.api import Artifact, Network, Options, Unit
from dlc.ir import Call, Equation, Module, Program, Scan, Static
from dlc.passes.resolve import load_project
from dlc.spec.record import replace
from dlc.verify.backends import find_backend
from dlc.verify.report import AGREES, DISAGREES, Case
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers

TEXT = """block cell(hidden: int):
    input x: float[N, I]
    input bias: float[N, hidden]
    state h: float[N, hidden] = 0
    state c: float[N, hidden] = 0.5
    mixed = tanh(dense(hidden)(x) + dense(hidden, bias=false)(h) + bias)
    next c = 0.5 * c + mixed
    next h = mixed * sigmoid(next c)
    output next h

block pair:
    input x: float[N, T, 6]
    first = dense(6)
    second = dense(6)
    output relu(first(x)) @ transpose(ones_like_rows(x), [0, 2, 1]) - second(x) @ transpose(first(x), [0, 2, 1])

block ones_like_rows:
    input x: float[N, T, 6]
    output x * 0 + 1

network Net:
    input x: float[N, T, 6]
    input lengths: int[N] in 1..T + 1
    bias = mean(x, axis=1)
    runs = scan(cell(6), reverse=true, lengths=lengths)(x, bias=bias)
    mask = expand_dims(arange(T), 0) < expand_dims(lengths - 1, 1)
    scores = where(mask, sum(runs.output, axis=2), -inf)
    weights = softmax(scores, axis=1)
    output weights
    output last = runs.h
    output both = pair(runs.output)
"""
Change = Callable[[Equation], Equation]
#: A scan that runs otherwise shows first in what its cell computes from a step's values.
SCAN = ("runs =", "mixed =")


@dataclass(frozen=True)
class Mutating:
    """A backend that changes equations before it compiles."""

    inner: Any
    change: Callable[[Module], Module]

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "inner"), name)

    def compile(self, unit: Unit, options: Options) -> Artifact:
        def of(program: Program) -> Program:
            return replace(program, modules=tuple(map(self.change, program.modules)))

        changed = [Network(n.name, of(n.inference), of(n.training)) for n in unit.networks]
        return self.inner.compile(replace_networks(unit, tuple(changed)), options)


def replace_networks(unit: Unit, changed: tuple[Network, ...]) -> Unit:
    return Unit(unit.stem, unit.digest, unit.doc, changed, unit.declarations)


def each(change: Change) -> Callable[[Module], Module]:
    return lambda module: replace(module, body=tuple(map(change, module.body)))


def scans(**changes: Any) -> Callable[[Module], Module]:
    def change(equation: Equation) -> Equation:
        target = equation.target
        return replace(equation, target=replace(target, **changes)) if isinstance(target, Scan) else equation

    return each(change)


def without_lengths(equation: Equation) -> Equation:
    target = equation.target
    if not (isinstance(target, Scan) and target.has_lengths):
        return equation
    return replace(equation, inputs=equation.inputs[:-1], target=replace(target, has_lengths=False))


def operands(op: str, order: tuple[int, ...]) -> Callable[[Module], Module]:
    def change(equation: Equation) -> Equation:
        swapped = tuple(equation.inputs[place] for place in order) if equation.op == op else equation.inputs
        return replace(equation, inputs=swapped)

    return each(change)


def attribute(op: str, name: str, value: object) -> Callable[[Module], Module]:
    def change(equation: Equation) -> Equation:
        if equation.op != op:
            return equation
        attributes = {**dict(equation.attributes), name: Static(value)}
        return replace(equation, attributes=tuple(attributes.items()))

    return each(change)


def states_swapped(module: Module) -> Module:
    """What the cell hands on as `h` and as `c`."""
    if module.block.name != "cell" or len(module.next_states) != 2:
        return module
    first, second = module.next_states
    return replace(module, next_states=(replace(first, value=second.value), replace(second, value=first.value)))


def wrong_instances(module: Module) -> Module:
    """Two layers alike but for their weights change places."""
    if module.block.name != "pair":
        return module

    def change(equation: Equation) -> Equation:
        target = equation.target
        if not isinstance(target, Call) or module.instances[target.instance].path not in ("first", "second"):
            return equation
        (other,) = [
            place
            for place, one in enumerate(module.instances)
            if one.path in ("first", "second") and place != target.instance
        ]
        return replace(equation, target=replace(target, instance=other))

    return replace(module, body=tuple(map(change, module.body)))


#: The change, and what the line of TEXT says that `verify` must name.
FAULTS: dict[str, tuple[Callable[[Module], Module], tuple[str, ...]]] = {
    "the other direction": (scans(reverse=False), SCAN),
    "lengths forgotten": (each(without_lengths), SCAN),
    "states of a cell swapped": (states_swapped, SCAN),
    "mask turned round": (operands("where", (0, 2, 1)), ("scores =",)),
    "comparison turned round": (operands("less", (1, 0)), ("mask =",)),
    "softmax over the batch": (attribute("softmax", "axis", 0), ("weights =",)),
    "mean over another axis": (attribute("mean", "axis", (2,)), ("bias =",)),
    "operands of a difference swapped": (operands("subtract", (1, 0)), ("mask =",)),
    "weights of another layer": (wrong_instances, ("output relu(first(x))",)),
}


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    path = tmp_path_factory.mktemp("structure") / "net.dl"
    path.write_text(TEXT, encoding="utf-8")
    return networks.elaborate(load_project(path)).unit


def run(unit: Unit, backend: Any, workers: Workers) -> Case:
    settings = Settings(modes=("inference",), sizes=1, dims={"N": 6, "T": 6})
    (case,) = verify(unit, [backend], settings, workers).cases
    return case


BACKENDS = ["reference", "onnx", "torch", pytest.param("tensorflow", marks=pytest.mark.slow)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_control(unit: Unit, backend: str, workers: Workers) -> None:
    case = run(unit, find_backend(backend), workers)
    assert case.status == AGREES, f"{case.message} {case.detail}"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_structure_is_named(unit: Unit, fault: str, backend: str, workers: Workers) -> None:
    change, words = FAULTS[fault]
    case = run(unit, Mutating(find_backend(backend), change), workers)
    assert case.status == DISAGREES, f"{case.status} {case.message} {case.detail}"
    assert case.cause is not None, f"{case.message} {case.detail}"
    line = TEXT.splitlines()[(case.cause.caller or case.cause.span).line - 1].strip()
    assert line.startswith(words), f"{line}: {case.cause}"
