"""`verify`: every backend against the oracle, in both modes, at several sizes."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dlc.backends.api import Network, Options, Unit
from dlc.diagnostics import DlcError, error
from dlc.ir import Distribution, Program
from dlc.parameters import NetworkParameter, network_parameters
from dlc.passes.draws import explicit_network
from dlc.passes.rewrite import changed_identity
from dlc.verify.backends import backend_names, find_backend, missing_needs
from dlc.verify.compare import (
    AGREES,
    DISAGREES,
    INCONCLUSIVE,
    Array,
    OutputReport,
    References,
    compare,
    conclusive,
    faint,
)
from dlc.verify.inputs import ONES, choose_sizes, make_inputs
from dlc.verify.locate import locate
from dlc.verify.oracle import references, sizes_of, widened
from dlc.verify.report import FAILED, SKIPPED, Case, Cause, Report
from dlc.verify.stage import Way
from dlc.verify.workers import Job, Limits, WorkerError, Workers
from dlc.weights import randomised, read, write

MODES = ("inference", "training")
#: What a framework does not offer in a precision: it proves nothing, and is nobody's fault.
NOT_OFFERED = ("E0709", "E0815")


@dataclass(frozen=True, slots=True)
class Settings:
    """What to compare. `sizes` runs per mode, each at other sizes; `dims` fixes some; `inputs` replaces made-up
    inputs.
    """

    modes: tuple[str, ...] = MODES
    natives: tuple[bool, ...] = (True,)
    sizes: int = 2
    dims: Mapping[str, int] = field(default_factory=dict[str, int])
    inputs: Mapping[str, Array] | None = None
    precision: str = "f32"
    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    find_cause: bool = True
    optimize: bool = False


def verify(
    unit: Unit,
    backends: Sequence[Any] | None = None,
    settings: Settings | None = None,
    workers: Workers | None = None,
) -> Report:
    """Compares each network of `unit` on each backend with the oracle.

    `backends`: names, or backend objects; None for all but the reference. Skipped are those without their framework, or
    without a kernel for the precision; one asked for by name counts as missing then (exit code 3). `workers`: processes
    to use and to leave running; None starts some and ends them. Raises DlcError for what is wrong with the request
    itself.
    """
    settings = settings or Settings()
    named = backends is not None
    chosen = [find_backend(b) if isinstance(b, str) else b for b in (backends if named else _all())]
    _check_dims(unit, settings)
    cases: list[Case] = []
    usable: list[Any] = []
    for backend in chosen:
        lacking = missing_needs(backend)
        if lacking is None:
            usable.append(backend)
        else:
            code = 3 if named else 0
            cases += [_note(network.name, backend.name, SKIPPED, lacking, code) for network in unit.networks]
    own = Workers(settings.limits) if workers is None else nullcontext(workers)
    with tempfile.TemporaryDirectory(prefix="dlc-verify-") as root, own as workers:
        for network in unit.networks:
            comparison = _Comparison.of(unit, network, settings, Path(root), workers)
            for backend in usable:
                found = comparison.cases(backend)
                cases += [case if named or case.status != SKIPPED else replace(case, exit_code=0) for case in found]
            shutil.rmtree(comparison.root)
    return Report(tuple(cases))


def _check_dims(unit: Unit, settings: Settings) -> None:
    """Each dimension that is given a size must be one of some network."""
    known = {home.symbol for n in unit.networks for home in n.inference.module(n.inference.entry).homes}
    for name in settings.dims:
        if name not in known:
            message = f"no network of {unit.stem} has the dynamic dimension {name}"
            raise error("E0812", message, expected=", ".join(sorted(known)), exit_code=2)


def _all() -> list[str]:
    return [name for name in backend_names() if name != "reference"]


@dataclass(frozen=True, slots=True)
class _Run:
    """One mode at one size, with what the references give."""

    mode: str
    program: Program
    sizes: dict[str, int]
    inputs: dict[str, Array]
    references: References

    @property
    def training(self) -> bool:
        return self.mode == "training"


@dataclass(frozen=True, slots=True)
class _Trial:
    """What a run may be made of: sizes number `number` with `dims` fixed, and numbers at the edge or not."""

    number: int
    dims: Mapping[str, int]
    edge: bool = False
    plain: bool = False


def _trials(program: Program, number: int, dims: Mapping[str, int]) -> Iterator[_Trial]:
    """The best first. The second run at inference is one at the edge: sizes of 1, numbers that are large and equal; not
    every network can be judged there. Rounding moves batch statistics the farther the larger the batch, so a later run
    that is too noisy may be one at batch 1. The first run is plain, always.
    """
    if number == 1 and not program.training:
        yield _Trial(ONES, dims, edge=True)
        yield _Trial(ONES, dims)
    yield _Trial(number, dims, plain=True)
    batch = next((home.symbol for home in program.module(program.entry).homes), None)
    if number and batch is not None and batch not in dims:
        yield _Trial(number, {**dims, batch: 1})


@dataclass(slots=True)
class _Comparison:
    """One network: as written, and with explicit draws (`drawing`: the modes that have some; `draws`: the inputs that
    these are); its weights, the references of all runs.
    """

    unit: Unit
    written: Network
    network: Network
    drawing: frozenset[str]
    draws: frozenset[str]
    settings: Settings
    root: Path
    workers: Workers
    parameters: tuple[NetworkParameter, ...]
    weights: Path
    arrays: Mapping[str, Array]
    runs: list[_Run] = field(default_factory=list[_Run])
    emitted: int = 0

    @staticmethod
    def of(unit: Unit, network: Network, settings: Settings, root: Path, workers: Workers) -> _Comparison:
        explicit = explicit_network(network.inference, network.training)
        parameters = network_parameters(network.inference, network.training)
        folder = root / network.name
        folder.mkdir()
        weights = folder / f"{network.name}.safetensors"
        write(weights, parameters, randomised(settings.seed))
        made = Network(network.name, explicit.inference, explicit.training)
        arrays = widened(read(weights, parameters))
        by_mode = {
            "inference": (explicit.inference, explicit.inference_draws),
            "training": (explicit.training, explicit.training_draws),
        }
        written = {"inference": network.inference, "training": network.training}
        drawing = frozenset(mode for mode, program in written.items() if any(m.draws for m in program.modules))
        draws = frozenset({*explicit.inference_draws, *explicit.training_draws})
        comparison = _Comparison(
            unit, network, made, drawing, draws, settings, folder, workers, parameters, weights, arrays
        )
        for mode in settings.modes:
            comparison.runs += comparison.references(mode, *by_mode[mode])
        return comparison

    def references(self, mode: str, program: Program, draws: Mapping[str, Distribution]) -> Iterator[_Run]:
        """The runs of one mode."""
        settings = self.settings
        if settings.inputs is not None:
            sizes = sizes_of(program, settings.inputs)
            made = make_inputs(program, sizes, settings.seed, draws)
            inputs = {name: made[name] for name in draws} | dict(settings.inputs)
            yield self.reference(mode, program, sizes, inputs)
            return
        for number in range(settings.sizes):
            run = self.made_up(mode, program, draws, number)
            yield run
            if all(name in settings.dims for name in run.sizes):
                return  # another run would be the same

    def made_up(self, mode: str, program: Program, draws: Mapping[str, Distribution], number: int) -> _Run:
        """The run `number` on sizes and inputs of our own: the first trial that tells something, or the plain one."""
        plain: _Run | None = None
        for trial in _trials(program, number, self.settings.dims):
            try:
                sizes = choose_sizes(program, trial.number, trial.dims)
                inputs = make_inputs(program, sizes, self.settings.seed + trial.number, draws, edge=trial.edge)
                run = self.reference(mode, program, sizes, inputs)
            except DlcError:
                if trial.plain:
                    raise
                continue
            if conclusive(run.references) and not (trial.edge and faint(run.references)):
                return run
            plain = run if trial.plain else plain
        assert plain is not None
        return plain

    def reference(self, mode: str, program: Program, sizes: dict[str, int], inputs: dict[str, Array]) -> _Run:
        found = references(program, self.arrays, inputs, self.settings.precision, self.settings.seed)
        return _Run(mode, program, sizes, inputs, found)

    def cases(self, backend: Any) -> Iterator[Case]:
        """All cases of one backend; ends after the first that gives no result."""
        for natives in self.settings.natives:
            folders: dict[str, Job] = {}
            for run in self.runs:
                started = time.monotonic()
                try:
                    if run.mode not in folders:
                        made = self.emit(backend, self.compiled(run.mode), Way(natives), run.training, folders)
                        folders[run.mode] = made
                    inputs = self.fed(run)
                    found = self.workers.evaluate(backend.runner, folders[run.mode], inputs, run.training)
                except Exception as problem:
                    yield self.failed(backend, run, natives, problem, time.monotonic() - started)
                    break
                yield self.judged(backend, run, natives, found, started)

    def compiled(self, mode: str) -> Network:
        """What a mode runs: the network as a user compiles it, but where its draws must be fed."""
        return self.network if mode in self.drawing else self.written

    def fed(self, run: _Run) -> Mapping[str, Array]:
        """The inputs of what a mode runs: the code of a mode without draws takes none."""
        unfed = frozenset[str]() if run.mode in self.drawing else self.draws
        return {name: array for name, array in run.inputs.items() if name not in unfed}

    def judged(self, backend: Any, run: _Run, natives: bool, found: Mapping[str, Array], started: float) -> Case:
        outputs = compare(found, run.references, self.unchanged(run))
        status = _verdict(outputs)
        case = self.case(backend, run, natives, status, time.monotonic() - started)
        case = replace(case, outputs=outputs, exit_code=0 if status == AGREES else 1)
        if status != DISAGREES or not self.settings.find_cause:
            return case
        try:
            wrong = {output.name: output for output in outputs if output.verdict == DISAGREES}
            cause = self.cause(backend, run, natives, wrong)
        except Exception as problem:
            return replace(case, message="its cause was not found", detail=f"{type(problem).__name__}: {problem}")
        message = "" if cause else "no single equation differs; the fault is in how they are put together"
        return replace(case, cause=cause, message=message)

    def unchanged(self, run: _Run) -> frozenset[str]:
        """Buffers that a training step leaves as they are: a backend need not report them."""
        exact = run.references.exact
        buffers = {f"buffer {p.path}": p.path for p in self.parameters if p.kind == "buffer"}
        return frozenset(
            name for name, path in buffers.items() if name in exact and (exact[name] == self.arrays[path]).all()
        )

    def cause(self, backend: Any, run: _Run, natives: bool, wrong: Mapping[str, OutputReport]) -> Cause | None:
        def evaluate(program: Program, way: Way) -> Mapping[str, Array]:
            # One mode's code stands for both.
            both = Network(program.network, replace(program, training=False), replace(program, training=True))
            job = self.emit(backend, both, replace(way, natives=natives and way.natives), run.training, {})
            return self.workers.evaluate(backend.runner, job, run.inputs, run.training)

        def refer(program: Program) -> References:
            return references(program, self.arrays, run.inputs, self.settings.precision, self.settings.seed)

        return locate(run.program, wrong, evaluate, refer)

    def emit(self, backend: Any, network: Network, way: Way, training: bool, made: Mapping[str, Job]) -> Job:
        """Compiles into a folder of its own, or gives the job of another mode if the files are the same."""
        written = self.unit.declarations
        changed = {changed_identity(block): declared for block, declared in written.items()}
        unit = replace(self.unit, networks=(network,), declarations={**written, **changed})
        options = Options(
            way.natives,
            self.settings.precision,
            training=training,
            spec_layout=way.spec_layout,
            optimize=self.settings.optimize,
        )
        artifact = backend.compile(unit, options)
        for job in made.values():
            if all(_content(Path(job.folder) / name) == _bytes(text) for name, text in artifact.files.items()):
                return job
        self.emitted += 1
        folder = self.root / f"{backend.name}_{self.emitted}"
        folder.mkdir()
        for name, text in artifact.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(_bytes(text))
        weights = folder / f"{network.name}.safetensors"
        if not weights.exists():
            os.link(self.weights, weights)
        return Job(str(folder), artifact.entries[network.name], str(weights), self.settings.precision)

    def case(self, backend: Any, run: _Run, natives: bool, status: str, seconds: float) -> Case:
        sizes = tuple(run.sizes.items())
        return Case(self.network.name, backend.name, run.mode, natives, sizes, status, seconds=seconds)

    def failed(self, backend: Any, run: _Run, natives: bool, problem: Exception, seconds: float) -> Case:
        case = self.case(backend, run, natives, FAILED, seconds)
        if isinstance(problem, WorkerError):
            return replace(case, message=f"{problem.kind}: {problem.message}", detail=problem.detail, exit_code=3)
        if isinstance(problem, DlcError):
            told = [text for d in problem.diagnostics for text in (f"{d.code}: {d.message}", d.hint) if text]
            message = "; ".join(told)
            lacks = self.settings.precision != "f32" and any(d.code in NOT_OFFERED for d in problem.diagnostics)
            return replace(case, status=SKIPPED if lacks else FAILED, message=message, exit_code=problem.exit_code)
        detail = "".join(traceback.format_exception(problem)[-6:])
        return replace(case, message=f"the backend's compiler failed: {problem}", detail=detail, exit_code=3)


def _verdict(outputs: Sequence[OutputReport]) -> str:
    found = {output.verdict for output in outputs}
    return next((verdict for verdict in (DISAGREES, INCONCLUSIVE) if verdict in found), AGREES)


def _note(network: str, backend: str, status: str, message: str, exit_code: int) -> Case:
    return Case(network, backend, "", True, (), status, message=message, exit_code=exit_code)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
