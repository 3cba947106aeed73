"""What the Python API is asked wrongly: always a DlcError, never an error of Python's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dlc
import numpy as np
import pytest

LENET = Path(__file__).resolve().parents[2] / "examples" / "lenet.dl"
FILE = dlc.load(LENET)
NET = FILE["LeNet5"]

WRONG: dict[str, tuple[str, Callable[[], object]]] = {
    "precision": ("E0903", lambda: NET.compile("torch", precision="f8")),
    "precision of a file": ("E0903", lambda: FILE.compile("onnx", precision="f8")),
    "backend": ("E0701", lambda: NET.compile("x")),
    "backend that is no text": ("E0903", lambda: NET.compile(None)),  # type: ignore[arg-type]
    "network": ("E0203", lambda: FILE["LeNet"]),
    "dimension": ("E0203", lambda: NET.with_sizes(Q=3).compile("torch")),
    "size below 0": ("E0903", lambda: NET.with_sizes(N=-1).compile("torch")),
    "size that is no number": ("E0903", lambda: NET.with_sizes(N="3").compile("torch")),  # type: ignore[arg-type]
    "hyperparameter": ("E0308", lambda: NET.with_settings(q=3).compile("torch")),
    "value of no kind": ("E0903", lambda: NET.with_settings(classes=object()).compile("torch")),
    "value out of range": ("E0311", lambda: NET.with_settings(classes=0).compile("torch")),
    "path": ("E0120", lambda: dlc.load("nope.dl")),
    "path that is none": ("E0903", lambda: dlc.load(None)),  # type: ignore[arg-type]
    "weights": ("E0802", lambda: NET.build("onnx", weights="nope.safetensors")),
    "seed": ("E0903", lambda: NET.write_weights("x.safetensors", seed=-1)),
    "verified backend": ("E0701", lambda: dlc.verify(NET, backends="x")),
    "verified network": ("E0203", lambda: dlc.verify(FILE, network="x")),
    "verified mode": ("E0903", lambda: dlc.verify(NET, modes="train")),
    "verified precision": ("E0903", lambda: dlc.verify(NET, precision="f8")),
    "verified size": ("E0903", lambda: dlc.verify(NET, sizes={"N": "a"})),  # type: ignore[dict-item]
    "input": ("E0810", lambda: dlc.verify(NET, inputs={"x": np.zeros(3)}, backends=["reference"])),
    "input as a list": ("E0810", lambda: dlc.verify(NET, inputs={"image": [0.0]}, backends=["reference"])),  # type: ignore[dict-item]
}


@pytest.mark.parametrize(("code", "request_"), WRONG.values(), ids=WRONG)
def test_is_told(code: str, request_: Callable[[], object]) -> None:
    with pytest.raises(dlc.DlcError) as raised:
        request_()
    assert [d.code for d in raised.value.diagnostics] == [code]


def test_a_missing_network_is_a_missing_key() -> None:
    assert FILE.get("LeNet") is None
    with pytest.raises(KeyError, match="did you mean `LeNet5`"):
        FILE["LeNet"]


def test_numbers_of_numpy_are_numbers() -> None:
    assert NET.with_settings(classes=np.int64(3)).summary().outputs == (("logits", "float[N, 3]"),)
