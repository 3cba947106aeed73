"""dlc: a compiler for declarative deep-learning model specs.

    import dlc

    net = dlc.load("examples/resnet.dl")["ResNet50"]
    print(net.summary())
    print(net.compile("torch").source)
    model = net.build("torch", weights="resnet50.safetensors")
    report = dlc.verify("examples/resnet.dl", network="ResNet18")

Nothing is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlc.api import Compiled as Compiled
    from dlc.api import Network as Network
    from dlc.api import SpecFile as SpecFile
    from dlc.api import load as load
    from dlc.api import loads as loads
    from dlc.api import verify as verify  # the package `dlc.verify` is callable and does this
    from dlc.diagnostics import DlcError as DlcError

__version__ = "0.1.0"
__all__ = ["Compiled", "DlcError", "Network", "SpecFile", "__version__", "load", "loads", "verify"]

_HOMES = {
    "Compiled": "dlc.api",
    "DlcError": "dlc.diagnostics",
    "Network": "dlc.api",
    "SpecFile": "dlc.api",
    "load": "dlc.api",
    "load_ipython_extension": "dlc.notebook",
    "loads": "dlc.api",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "verify":
        return import_module("dlc.verify")
    if name not in _HOMES:
        raise AttributeError(f"module `dlc` has no attribute `{name}`")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
