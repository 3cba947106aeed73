"""`Network.build`: a compiled network as a live object of its framework. Frameworks are imported here, and only now.

What is made depends on what the backend writes: Python source gives what its factory gives (an `nn.Module`, a Keras
model), an ONNX model gives an ONNX Runtime session.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dlc.diagnostics import error

if TYPE_CHECKING:
    from dlc.api import Compiled, Network


def build(network: Network, backend: str, weights: str | Path | None, options: Mapping[str, Any]) -> Any:
    """Raises DlcError (E0708) where the framework is not installed, exit code 3, or the backend has no live form."""
    from dlc.verify.backends import find_backend, missing_needs

    install = missing_needs(find_backend(backend))
    if install is not None:
        raise error("E0708", f"`{backend}` needs packages that are not installed", hint=install, exit_code=3)
    compiled = network.compile(backend, **options)
    if weights is not None:
        _check_weights(network, weights)
    kinds = {Path(name).suffix for name in compiled.files}
    if ".py" in kinds:
        return _from_source(compiled, weights)
    if ".onnx" in kinds:
        return _session(network, compiled, weights)
    raise error("E0708", f"the backend `{backend}` writes nothing that can be run by itself", exit_code=2)


def _check_weights(network: Network, weights: str | Path) -> None:
    from dlc.weights import check, read_header

    check(weights, read_header(weights), network.parameters)


def _from_source(compiled: Compiled, weights: str | Path | None) -> Any:
    """The generated file as a module, under a name of its own; its factory called, its weights loaded."""
    name = f"dlc_built_{len(sys.modules)}"
    module = ModuleType(name)
    sys.modules[name] = module  # classes look up their module when they are pickled or saved
    exec(compile(compiled.source, f"<{compiled.name}, {compiled.backend}>", "exec"), module.__dict__)
    model = getattr(module, _factory(compiled.artifact.entries[compiled.name]))()
    if weights is not None:
        module.load_weights(model, str(weights))
    return model


def _factory(entry: str) -> str:
    """The factory's name in an entry: JSON with `factory`, or `file:name:outputs`."""
    return str(json.loads(entry)["factory"]) if entry.startswith("{") else entry.split(":")[1]


def _session(network: Network, compiled: Compiled, weights: str | Path | None) -> Any:
    """A session on one model file with its weights beside it, which it has read when this returns."""
    import onnxruntime
    from dlc.weights import initial, write
    from dlc.weights_reuse import rewritten

    with tempfile.TemporaryDirectory(prefix="dlc-build-") as folder:
        (path,) = compiled.write(folder)
        source = initial(0) if weights is None else rewritten(weights)
        write(Path(folder) / f"{network.name}.safetensors", network.parameters, source)
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
