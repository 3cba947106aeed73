"""What a backend is. Backends are found by the entry-point group `dlc.backends`; the compiler imports none of them.

A backend has two halves. `compile` turns typed IR into files and imports no framework. The runner, a module named by
`runner`, is imported only inside a worker process and may import the framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from dlc.ir import BlockId, Program
from dlc.spec.syntax import Block

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Network:
    """One network of a file, elaborated for both modes. `inference` and `training` share paths, names and weights."""

    name: str
    inference: Program
    training: Program


@dataclass(frozen=True, slots=True)
class Unit:
    """What one compile handles: the networks of one spec file.

    `stem` is the file's stem (`resnet`), `digest` a hex hash of its content (and its imports'). `declarations` holds
    the blocks that its modules come from, as written: defaults of hyperparameters, docstrings. `file` is its name
    (`resnet.dl`).
    """

    stem: str
    digest: str
    doc: str | None
    networks: tuple[Network, ...]
    declarations: Mapping[BlockId, Block] = field(default_factory=dict[BlockId, Block])
    file: str = "a spec"


@dataclass(frozen=True, slots=True)
class Options:
    """How to compile. `natives`: use the framework's own layers. `training`: for ONNX, emit the training-mode graph.

    `spec_layout`: keep the spec's order of axes throughout, which tells `verify` whether a layout is at fault.
    `optimize`: for ONNX at inference, fold batch norms into the weights before them.
    """

    natives: bool = True
    precision: str = "f32"
    native_layout: bool = False
    training: bool = False
    spec_layout: bool = False
    optimize: bool = False


@dataclass(frozen=True, slots=True)
class Artifact:
    """Files by name relative to the output folder, and how to run each network.

    `entries` maps a network's name to what the backend's runner needs to find it (a function in a file, a model file).
    """

    files: Mapping[str, str | bytes]
    entries: Mapping[str, str] = field(default_factory=dict[str, str])


class Backend(Protocol):
    name: str
    #: Top-level modules that the runner imports, with how to install them (`pip install "dlc[torch]"`).
    needs: tuple[str, ...]
    install: str
    #: Module that holds the runner: a class `Runner` as below.
    runner: str

    def compile(self, unit: Unit, options: Options) -> Artifact:
        """Files for all networks of a unit. Raises DlcError where an op or type is beyond the backend."""
        ...


class RunnerProtocol(Protocol):
    """Lives in a worker process. One runner serves many models, one after the other."""

    def load(self, folder: str, entry: str, weights: str | None, precision: str) -> None:
        """Builds the network from the artifact's files in `folder` and loads a canonical weights file."""
        ...

    def run(self, inputs: Mapping[str, Array], training: bool) -> dict[str, Array]:
        """Outputs by name, network states as `next <state>`; in training mode also `buffer <path>` after the step."""
        ...
