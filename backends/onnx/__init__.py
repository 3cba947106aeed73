"""The ONNX backend: opset 23, one model-local function per module, weights as external data in the safetensors file."""

from __future__ import annotations

from dataclasses import dataclass

from dlc.backends.api import Artifact, Options, Unit


@dataclass(frozen=True, slots=True)
class OnnxBackend:
    """See `dlc.backends.api.Backend`. `onnx` is imported by `compile`, ONNX Runtime by the runner only."""

    name: str = "onnx"
    needs: tuple[str, ...] = ("onnx", "onnxruntime")
    install: str = 'pip install "onnx>=1.19" "onnxruntime>=1.22"'
    runner: str = "dlc.backends.onnx.runner"

    def compile(self, unit: Unit, options: Options) -> Artifact:
        from dlc.backends.onnx.compile import compile_unit

        return compile_unit(unit, options)


backend = OnnxBackend()
