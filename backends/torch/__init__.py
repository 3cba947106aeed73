"""The torch backend: a spec file becomes one file of `nn.Module` classes."""

from __future__ import annotations

from dataclasses import dataclass

from dlc.backends.api import Artifact, Options, Unit


@dataclass(frozen=True, slots=True)
class TorchBackend:
    name: str = "torch"
    needs: tuple[str, ...] = ("torch", "safetensors")
    install: str = 'pip install "dlc[torch]"'
    runner: str = "dlc.backends.torch.runner"

    def compile(self, unit: Unit, options: Options) -> Artifact:
        """One file, `<stem>_torch.py`. Raises DlcError where modules of one instance can't be one class."""
        from dlc.backends.torch.compile import compile_unit

        return compile_unit(unit, options)


backend = TorchBackend()
