"""The whole comparison, with the reference backend and with backends that are wrong on purpose."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from dlc.backends.api import Artifact, Network, Options, Unit
from dlc.backends.reference import ReferenceBackend
from dlc.diagnostics import DlcError, error
from dlc.ir import Module, Origin, Program
from dlc.ir_text import read
from dlc.spec.source import Span
from dlc.verify.report import AGREES, DISAGREES, FAILED, INCONCLUSIVE, SKIPPED, Report
from dlc.verify.run import Settings, verify
from dlc.verify.stage import NATIVE, WORDS
from dlc.verify.workers import Limits

PROGRAMS = Path(__file__).parents[1] / "ir" / "programs"


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@dataclass(frozen=True)
class Double(ReferenceBackend):
    """The reference backend with another runner."""

    name: str
    runner: str = "dlc.backends.reference.runner"
    needs: tuple[str, ...] = ()
    install: str = "pip install it"

    def compile(self, unit: Unit, options: Options) -> Artifact:
        """As the reference backend does, and a note of whether natives are wanted."""
        artifact = super().compile(unit, options)
        return Artifact({**artifact.files, "natives.txt": str(options.natives)}, artifact.entries)


def double(name: str) -> Double:
    return Double(name, f"verify_doubles.{name}")


def with_lines(program: Program) -> Program:
    """Gives each equation a place: line 100 m + e of net.dl for equation e of module m."""

    def place(m: int, e: int) -> Origin:
        return Origin(Span("net.dl", 100 * m + e, 5, 100 * m + e, 9))

    modules = [
        replace(module, body=tuple(replace(eq, origin=place(m, e)) for e, eq in enumerate(module.body)))
        for m, module in enumerate(program.modules)
    ]
    return replace(program, modules=tuple(modules))


def as_mode(program: Program, training: bool) -> Program:
    """The same equations as the program of a mode."""

    def of(module: Module) -> Module:
        kept = module.next_buffers if training and program.training else ()
        return replace(module, training=training, next_buffers=kept)

    if program.training == training:
        return program
    return replace(program, training=training, modules=tuple(map(of, program.modules)))


def unit(name: str) -> Unit:
    training = with_lines(read((PROGRAMS / f"{name}.ir").read_text()))
    return Unit(name, "0", None, (Network(training.network, as_mode(training, False), training),))


def of_text(text: str) -> Unit:
    program = read(text)
    return Unit("text", "0", None, (Network(program.network, program, as_mode(program, True)),))


QUICK = Settings(limits=Limits(seconds=30))


@pytest.mark.parametrize("name", ["recurrent", "normed"])
def test_the_reference_agrees_with_itself(name: str) -> None:
    report = verify(unit(name), ["reference"], replace(QUICK, natives=(True, False)))
    assert [case.status for case in report.cases] == [AGREES] * 8
    assert {(case.mode, case.natives) for case in report.cases} == {
        (mode, natives) for mode in ("inference", "training") for natives in (True, False)
    }
    assert (report.agreed, report.exit_code) == (True, 0)
    sizes = {mode: {case.sizes for case in report.cases if case.mode == mode} for mode in ("inference", "training")}
    assert {len(found) for found in sizes.values()} == {2}
    assert len(set().union(*sizes.values())) == 3  # the second run at inference is one at the edge
    for case in report.cases:
        assert all(0 <= output.error < output.tolerance for output in case.outputs if output.tolerance)


def test_training_reports_buffers_and_draws_are_fed() -> None:
    report = verify(unit("normed"), ["reference"], QUICK)
    names = {output.name for case in report.cases if case.mode == "training" for output in case.outputs}
    assert {"buffer norm.running_mean", "buffer norm.running_var", "best", "larger"} <= names


def test_a_wrong_op_inside_a_scan_is_caught_and_its_line_named() -> None:
    report = verify(unit("recurrent"), [double("wrong_tanh")], QUICK)
    assert {case.status for case in report.cases} == {DISAGREES}
    assert (report.agreed, report.exit_code) == (False, 1)
    for case in report.cases:
        assert case.cause is not None
        assert (case.cause.module, case.cause.op) == ("noise#0", "tanh")
        assert str(case.cause.span) == "net.dl:2:5"
        assert case.cause.path == ("scan.forward", "noise")
    text = report.problems()[0]
    assert "net.dl:2:5: `tanh` in scan.forward.noise (noise#0, equation 2) differs first" in text


def test_a_fault_inside_the_standard_library_points_at_the_user_s_line() -> None:
    one = unit("recurrent")
    (network,) = one.networks
    noise, *others = network.inference.modules
    inside = tuple(replace(e, origin=Origin(replace(e.origin.span, file="std/noise.dl"))) for e in noise.body)
    moved = replace(network.inference, modules=(replace(noise, body=inside), *others))
    both = replace(one, networks=(replace(network, inference=moved),))
    report = verify(both, [double("wrong_tanh")], replace(QUICK, modes=("inference",), sizes=1))
    (case,) = report.cases
    assert "net.dl:304:5: in std/noise.dl:2:5: `tanh` in scan.forward.noise" in report.problems()[0]
    assert case.cause is not None
    assert str(case.cause.caller) == "net.dl:304:5"


def test_a_wrong_integer_is_caught_and_its_line_named() -> None:
    report = verify(unit("normed"), [double("wrong_argmax")], replace(QUICK, modes=("inference",)))
    wrong = {o.name for case in report.cases for o in case.outputs if o.verdict == DISAGREES}
    assert wrong == {"best"}
    for case in report.cases:
        assert case.cause is not None
        assert (case.cause.op, case.cause.path) == ("argmax", ("head",))
        assert str(case.cause.span) == "net.dl:101:5"


def test_a_wrong_native_form_is_named_by_its_call() -> None:
    report = verify(unit("recurrent"), [double("wrong_native")], replace(QUICK, modes=("training",)))
    for case in report.cases:
        assert case.status == DISAGREES
        assert case.cause is not None
        assert (case.cause.module, case.cause.op) == ("cell#0", "call dense")
        assert (case.cause.stage, WORDS[NATIVE]) == (NATIVE, case.cause.message.split("; ")[1])


def test_buffers_that_do_not_move_are_caught_in_training() -> None:
    report = verify(unit("normed"), [double("wrong_buffer")], replace(QUICK, find_cause=False))
    assert {(case.mode, case.status) for case in report.cases} == {("inference", AGREES), ("training", DISAGREES)}
    for case in report.cases:
        wrong = [output.name for output in case.outputs if output.verdict != AGREES]
        assert wrong == (["buffer norm.running_mean"] if case.mode == "training" else [])


HEAD = 'program A inference entry A#0\nmodule A#0 = "a.dl":A values {values}\n  home N = x axis 0: N\n'


def test_a_network_that_rounding_breaks_is_inconclusive() -> None:
    text = HEAD.format(values=6) + (
        "  input %0 x: float[N, 6]\n"
        '  %1: float[] = constant(; value=1000000.0, dtype="float", shape=[])\n'
        "  %2: float[N, 6] = add(%0, %1)\n"
        "  %3: float[N, 6] = subtract(%2, %1)\n"
        "  %4: float[N, 6] = floor(%3)\n"
        '  %5: int[N, 6] = cast(%2; dtype="int")\n'
        "  output %3 lost\n  output %5 digits\n"
    )
    report = verify(of_text(text), ["reference"], QUICK)
    assert {case.status for case in report.cases} == {INCONCLUSIVE}
    assert report.exit_code == 1
    assert not report.agreed
    assert "rounding alone" in report.problems()[0]


def test_a_larger_batch_that_tells_nothing_is_replaced_by_one() -> None:
    text = HEAD.format(values=5) + (
        "  input %0 x: float[N, 6]\n"
        "  %1: float[6] = variance(%0; axis=[0], keepdims=False, correction=0)\n"  # 0 at N = 1
        '  %2: float[] = constant(; value=1000000.0, dtype="float", shape=[])\n'
        "  %3: float[6] = multiply(%1, %2)\n"
        "  %4: float[6] = sin(%3)\n"
        "  output %4 chaos\n"
    )
    report = verify(of_text(text), ["reference"], QUICK)
    assert [(case.sizes, case.status) for case in report.cases] == [
        ((("N", 2),), INCONCLUSIVE),  # the first run stays: one image hides mixed-up batches
        ((("N", 1),), AGREES),
    ] * 2
    fixed = verify(of_text(text), ["reference"], replace(QUICK, dims={"N": 3}))
    assert {(case.sizes, case.status) for case in fixed.cases} == {((("N", 3),), INCONCLUSIVE)}


def test_nan_and_infinity_pass_where_they_belong() -> None:
    text = HEAD.format(values=4) + (
        "  input %0 x: float[N, 6]\n  %1: float[N, 6] = log(%0)\n"
        '  %2: float[] = constant(; value=0.0, dtype="float", shape=[])\n'
        "  %3: float[N, 6] = divide(%0, %2)\n  output %1 logarithm\n  output %3 infinite\n"
    )
    report = verify(of_text(text), ["reference"], QUICK)
    assert {case.status for case in report.cases} == {AGREES}


def test_given_inputs_are_used_and_draws_made_up() -> None:
    inputs = {"x": np.ones((2, 4, 4), np.float32), "lengths": np.array([4, 1]), "shift": np.zeros((2, 3), np.float32)}
    report = verify(unit("recurrent"), ["reference"], replace(QUICK, inputs=inputs))
    assert [case.sizes for case in report.cases] == [(("N", 2), ("T", 4))] * 2
    assert report.agreed


def test_given_sizes() -> None:
    report = verify(unit("recurrent"), ["reference"], replace(QUICK, dims={"N": 1}))
    assert {dict(case.sizes)["N"] for case in report.cases} == {1}
    assert len({dict(case.sizes)["T"] for case in report.cases}) == 3
    fixed = verify(unit("recurrent"), ["reference"], replace(QUICK, dims={"N": 1, "T": 3}))
    assert len(fixed.cases) == 2
    with pytest.raises(DlcError, match="dynamic dimension Q"):
        verify(unit("recurrent"), ["reference"], replace(QUICK, dims={"Q": 1}))


def test_a_backend_without_its_framework() -> None:
    lonely = Double("lonely", needs=("surely-not-installed",), install='pip install "dlc[lonely]"')
    report = verify(unit("normed"), [lonely], QUICK)
    assert [(case.status, case.message) for case in report.cases] == [(SKIPPED, 'pip install "dlc[lonely]"')]
    assert report.exit_code == 3


def test_an_unknown_backend() -> None:
    with pytest.raises(DlcError) as caught:
        verify(unit("normed"), ["referense"], QUICK)
    assert caught.value.diagnostics[0].hint == "did you mean `reference`?"
    assert caught.value.exit_code == 2


@dataclass(frozen=True)
class Entry(Double):
    """A backend whose artifact is one word for the counting runner."""

    word: str = ""

    def compile(self, unit: Unit, options: Options) -> Artifact:
        return Artifact({"a.txt": self.word}, {network.name: self.word for network in unit.networks})


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("killed", "crashed: the worker process was killed by signal 9"),
        ("hung", "timeout"),
        ("wrong", "failed: RuntimeError"),
    ],
)
def test_a_worker_that_gives_nothing_is_a_clear_result(word: str, message: str) -> None:
    bad = Entry(word, "verify_doubles.counting", word=word)
    # The limit is for the next backend too, whose process has to start in it on a busy machine.
    settings = replace(QUICK, limits=Limits(seconds=10 if word == "hung" else 60))
    report = verify(unit("normed"), [bad, "reference"], settings)
    failed, *others = report.cases
    assert (failed.status, failed.backend) == (FAILED, word)
    assert failed.message.startswith(message)
    assert failed.detail
    assert report.exit_code == 3
    assert [case.status for case in others] == [AGREES] * 4  # the next backend still runs
    assert word in report.problems()[0]


@dataclass(frozen=True)
class Refusing(Double):
    crash: bool = False

    def compile(self, unit: Unit, options: Options) -> Artifact:
        if self.crash:
            raise KeyError("frobnicate")
        raise error("E0703", "no rule for `frobnicate`")


def test_a_backend_that_does_not_compile() -> None:
    gap = verify(unit("normed"), [Refusing("gap")], QUICK)
    assert [(case.status, case.message) for case in gap.cases] == [(FAILED, "E0703: no rule for `frobnicate`")]
    assert gap.exit_code == 1
    crash = verify(unit("normed"), [Refusing("crash", crash=True)], QUICK)
    assert crash.exit_code == 3
    assert "frobnicate" in crash.cases[0].detail


def test_the_same_network_twice_in_one_worker_gives_the_same_answer() -> None:
    one = unit("normed")
    (network,) = one.networks
    again = replace(network, name="Again")
    programs = [replace(p, network="Again") for p in (network.inference, network.training)]
    both = replace(
        one,
        networks=(
            network,
            Network("Again", *programs),
        ),
    )
    assert again.name == "Again"
    report = verify(both, ["reference"], QUICK)
    half = len(report.cases) // 2
    assert [case.outputs for case in report.cases[:half]] == [case.outputs for case in report.cases[half:]]
    assert half == 4


def test_seeds_change_the_numbers() -> None:
    errors = [
        [
            output.error
            for case in verify(unit("recurrent"), ["reference"], replace(QUICK, seed=seed)).cases
            for output in case.outputs
        ]
        for seed in (0, 0, 1)
    ]
    assert errors[0] == errors[1] != errors[2]


def test_renderings() -> None:
    from rich.console import Console

    report = verify(unit("recurrent"), [double("wrong_tanh")], replace(QUICK, modes=("training",), sizes=1))
    data = json.loads(json.dumps(report.to_json(), allow_nan=False))
    (case,) = data["cases"]
    assert (data["agreed"], data["exit_code"], case["status"]) == (False, 1, "disagrees")
    assert (case["cause"]["file"], case["cause"]["line"], case["cause"]["op"]) == ("net.dl", 2, "tanh")
    assert {output["name"] for output in case["outputs"]} == {"sequence", "final"}
    console = Console(width=140, no_color=True)
    with console.capture() as shown:
        console.print(report.table())
    assert "Recurrent" in shown.get()
    assert "disagrees" in shown.get()
    assert "N=2 T=5" in shown.get()
    assert Report(()).exit_code == 0
