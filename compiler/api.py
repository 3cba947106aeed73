"""The Python API; the commands of `dlc.cli` are thin layers over it.

All functions raise DlcError for what is wrong with the spec or the request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlc import requests
from dlc.backends.api import Artifact, Options, Unit
from dlc.backends.api import Network as Programs
from dlc.diagnostics import Diagnostic, DlcError, error
from dlc.networks import Choice, Elaborated, elaborate
from dlc.parameters import NetworkParameter, network_parameters
from dlc.passes.resolve import Project, load_project
from dlc.recursion import deep_recursion
from dlc.requests import setting_text

if TYPE_CHECKING:
    from dlc.graph.picture import Picture
    from dlc.summary import Summary
    from dlc.verify.compare import Array
    from dlc.verify.report import Report
    from dlc.verify.workers import Workers


@dataclass(frozen=True)
class SpecFile(Mapping[str, "Network"]):
    """A loaded .dl file: its networks by name, in the order of the text, templates included.

    >>> dlc.load("examples/resnet.dl")["ResNet50"]
    """

    project: Project

    def __repr__(self) -> str:
        return f"SpecFile({str(self.path)!r}: {', '.join(self.names) or 'no networks'})"

    @property
    def path(self) -> Path:
        return self.project.path

    @property
    def names(self) -> list[str]:
        return [d.name for d in self.project.scope.spec.declarations if d.kind == "network"]

    def __getitem__(self, name: str) -> Network:
        """The network called `name`. Raises DlcError (E0203), which is a KeyError too, with the closest name."""
        if name not in self.names:
            raise requests.no_such_network(name, self.path.name, self.names)
        return Network(self, name)

    def _repr_html_(self) -> str:
        from dlc.notebook import file_html

        return file_html(self)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def compile(self, backend: str, *, natives: bool = True, precision: str = "f32") -> Compiled:
        """Code for one backend, all networks of the file that are no templates."""
        options = Options(natives=natives, precision=precision)
        return Compiled(self.project.stem, backend, compile_unit(self.elaborate().unit, backend, options))

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What the text of the file and of its imports says, and surely does not mean."""
        from dlc.passes.warnings import file_warnings

        with deep_recursion():
            return tuple(file_warnings(self.project.scope))

    def elaborate(self, choice: Choice | None = None) -> Elaborated:
        """The typed programs of the chosen networks (all that have values for all hyperparameters)."""
        return elaborate(self.project, choice)


@dataclass(frozen=True)
class Network:
    """One network of a file; `settings` are hyperparameters given to it, `sizes` those of its dimensions."""

    file: SpecFile
    name: str
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])

    def __repr__(self) -> str:
        given = {**self.settings, **self.sizes}
        words = "".join(f", {name}={value}" for name, value in given.items())
        return f"Network({self.name!r} of {str(self.file.path)!r}{words})"

    def with_settings(self, **settings: object) -> Network:
        """The same network with other hyperparameters: `dlc.load("lenet.dl")["LeNet5"].with_settings(classes=7)`."""
        return Network(self.file, self.name, {**self.settings, **settings}, self.sizes)

    def with_sizes(self, **sizes: int) -> Network:
        """The same network with dynamic dimensions fixed: `.with_sizes(N=1)`."""
        return Network(self.file, self.name, self.settings, {**self.sizes, **sizes})

    @property
    def unit(self) -> Unit:
        return self._elaborated.unit

    @property
    def programs(self) -> Programs:
        return self.unit.networks[0]

    @property
    def parameters(self) -> tuple[NetworkParameter, ...]:
        """Parameters and buffers with their canonical names, shapes and initial values."""
        return parameters_of(self.programs)

    def summary(self, **sizes: int) -> Summary:
        """Instances, shapes, parameters, costs; `print` shows a tree. `sizes` of dimensions for costs: `N=8, T=100`."""
        from dlc.summary import summarise

        with deep_recursion():
            return summarise(self.programs, sizes)

    def graph(self, depth: int = 2, expand: Sequence[str] = (), *, turns: bool = False) -> Picture:
        """The network drawn; `.write("net.svg")`, or `.png`, `.html`.

        `depth`: levels of open boxes; `expand`: blocks that are open wherever they stand ("all": every one of the
        spec's own); `turns`: draw every turn of a loop.
        """
        from dlc.graph import draw
        from dlc.graph.picture import Picture

        with deep_recursion():
            return Picture(draw(self.programs, depth, expand, turns=turns))

    def _repr_html_(self) -> str:
        from dlc.notebook import network_html

        return network_html(self)

    def compile(
        self,
        backend: str,
        *,
        natives: bool = True,
        precision: str = "f32",
        training: bool = False,
        optimize: bool = False,
    ) -> Compiled:
        """Code for one backend. For ONNX, `training`: the graph in training mode; `optimize`: batch norms folded."""
        options = Options(natives=natives, precision=precision, training=training, optimize=optimize)
        return Compiled(self.name, backend, compile_unit(self.unit, backend, options))

    def write_weights(self, path: str | Path, seed: int = 0) -> None:
        """Draws the initial weights into a safetensors file."""
        from dlc.weights import initial, write

        requests.check_seed(seed)
        write(path, self.parameters, initial(seed))

    def build(self, backend: str, *, weights: str | Path | None = None, **options: Any) -> Any:
        """The network, ready to call: a torch module, a Keras model, or an ONNX Runtime session.

        `weights`: a canonical weights file; without one the network initialises itself. `options` as for `compile`.
        """
        from dlc.build import build

        return build(self, backend, weights, options)

    @cached_property
    def _elaborated(self) -> Elaborated:
        requests.check_sizes(self.sizes)
        settings = {name: setting_text(value) for name, value in self.settings.items()}
        return self.file.elaborate(Choice(self.name, settings, self.sizes))


@dataclass(frozen=True, slots=True)
class Compiled:
    """What one backend made of one network, or of a whole file."""

    name: str
    backend: str
    artifact: Artifact

    @property
    def files(self) -> Mapping[str, str | bytes]:
        return self.artifact.files

    @property
    def source(self) -> str:
        """The generated code. Raises DlcError (E0702) where the backend writes no text (ONNX)."""
        texts = [content for content in self.files.values() if isinstance(content, str)]
        if len(texts) == 1:
            return texts[0]
        raise error(
            "E0702", f"the backend `{self.backend}` writes no source text", hint="use `.files` or `.write(folder)`"
        )

    def write(self, folder: str | Path) -> list[Path]:
        """Writes the files into `folder`, each whole or not at all."""
        from dlc.output import write_files

        return write_files(Path(folder), self.files)


def load(path: str | Path) -> SpecFile:
    """Reads a .dl file and its imports."""
    requests.check_path(path)
    with deep_recursion():
        return SpecFile(load_project(path))


def loads(text: str, path: str | Path = "spec.dl") -> SpecFile:
    """Reads a spec from its text; `path` says how it is called, and where its imports are. It need not exist."""
    with deep_recursion():
        return SpecFile(load_project(path, text))


def compile_unit(unit: Unit, backend: str, options: Options | None = None) -> Artifact:
    """One backend's files for all networks of a unit."""
    from dlc.verify.backends import find_backend

    options = options or Options()
    requests.check_backend(backend)
    requests.check_precision(options.precision)
    with deep_recursion():
        return find_backend(backend).compile(unit, options)


def parameters_of(network: Programs) -> tuple[NetworkParameter, ...]:
    with deep_recursion():
        return network_parameters(network.inference, network.training)


def verify(
    spec: str | Path | SpecFile | Network,
    *,
    backends: str | Sequence[Any] | None = None,
    network: str | None = None,
    settings: Mapping[str, object] | None = None,
    sizes: Mapping[str, int] | None = None,
    inputs: Mapping[str, Array] | None = None,
    natives: bool | Sequence[bool] = True,
    modes: str | Sequence[str] = requests.MODES,
    precision: str = "f32",
    seed: int = 0,
    optimize: bool = False,
    workers: Workers | None = None,
) -> Report:
    """Compares backends with the NumPy oracle on the same weights and inputs.

    `spec`: a path, a loaded file or one of its networks; `sizes` fixes dynamic dimensions; `inputs`, by name, stand in
    for those that are made up otherwise; `optimize` as for `Network.compile`; `workers` are processes to reuse (see
    `dlc.verify.workers`).
    """
    from dlc.verify.run import Settings
    from dlc.verify.run import verify as run

    requests.check_precision(precision)
    requests.check_seed(seed)
    requests.check_sizes(sizes or {})
    unit, fixed = _unit(spec, network, settings or {}, sizes or {})
    wanted = Settings(
        modes=requests.checked_modes(modes),
        natives=requests.checked_natives(natives),
        dims=fixed,
        inputs=None if inputs is None else _arrays(inputs),
        precision=precision,
        seed=seed,
        optimize=optimize,
    )
    if isinstance(backends, str):
        backends = (backends,)
    with deep_recursion():
        return run(unit, backends, wanted, workers)


def _arrays(inputs: Mapping[str, Any]) -> dict[str, Array]:
    import numpy as np

    return {name: np.asarray(value) for name, value in inputs.items()}


def _unit(
    spec: str | Path | SpecFile | Network, name: str | None, settings: Mapping[str, object], sizes: Mapping[str, int]
) -> tuple[Unit, Mapping[str, int]]:
    """The unit to verify and the sizes of its runs.

    A dynamic dimension stays dynamic, its size is the run's; one that the spec sizes (`F = 1433`) gets the new size.
    """
    fixed: Mapping[str, int] = {}
    if isinstance(spec, Network):
        file, name, fixed = spec.file, spec.name, spec.sizes
        settings = {**spec.settings, **settings}
    else:
        file = spec if isinstance(spec, SpecFile) else load(spec)
    texts = {key: setting_text(value) for key, value in settings.items()}
    unit = file.elaborate(Choice(name, texts, fixed)).unit
    entries = [network.inference.module(network.inference.entry) for network in unit.networks]
    dynamic = {home.symbol for entry in entries for home in entry.homes}
    changed = {key: size for key, size in sizes.items() if key not in dynamic}
    if changed:
        unit = file.elaborate(Choice(name, texts, {**fixed, **changed})).unit
    return unit, {key: size for key, size in sizes.items() if key in dynamic}


__all__ = [
    "Compiled",
    "DlcError",
    "Network",
    "SpecFile",
    "compile_unit",
    "deep_recursion",
    "load",
    "loads",
    "parameters_of",
    "verify",
]
