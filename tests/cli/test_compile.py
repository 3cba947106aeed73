"""`dlc compile`: what is written where, and what is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import EXAMPLES, dlc
from dlc.weights import read

LENET = EXAMPLES / "lenet.dl"


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".dlc.json")


def test_all_backends(tmp_path: Path) -> None:
    done = dlc("compile", LENET, "--backend", "all", "-o", tmp_path / "new" / "out")
    assert (done.code, done.err) == (0, "")
    expected = ["LeNet5.onnx", "LeNet5.safetensors", "lenet_reference.ir", "lenet_tensorflow.py", "lenet_torch.py"]
    assert visible(tmp_path / "new" / "out") == expected
    lines = done.out.splitlines()
    assert sorted(Path(line.split()[1]).name for line in lines) == expected
    assert all(line.startswith("wrote ") for line in lines)


def test_train_sections_and_templates_are_told(tmp_path: Path) -> None:
    out = dlc("compile", EXAMPLES / "dcgan.dl", "--backend", "torch", "-o", tmp_path).out
    assert out.splitlines()[1:] == ["not emitted yet: train sections (DCGAN, DCGAN2)"]
    out = dlc("compile", EXAMPLES / "resnet.dl", "--backend", "reference", "-o", tmp_path).out
    assert "skipped ResNet: a template, it needs unit, depths" in out
    done = dlc("compile", EXAMPLES / "resnet.dl", "--backend", "torch", "-o", tmp_path / "t", "--network", "ResNet")
    assert done.code != 0
    assert "unit" in done.err
    assert "depths" in done.err
    assert not (tmp_path / "t").exists()


def test_a_network_that_one_backend_cannot_say_stops_no_other(tmp_path: Path) -> None:
    spec = tmp_path / "two.dl"
    spec.write_text("network A:\n    output arange(4)\n\nnetwork B:\n    input x: float[N, 3]\n    output x -> relu\n")
    done = dlc("compile", spec, "--backend", "all", "-o", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    assert "skipped A for tensorflow: `A` has no inputs" in done.out
    written = ["A.onnx", "B.onnx", "two_reference.ir", "two_tensorflow.py", "two_torch.py"]
    assert visible(tmp_path / "out") == written
    assert "E0701" in dlc("compile", spec, "--backend", "tensorflow", "-o", tmp_path / "one").err
    assert not (tmp_path / "one").exists()


def test_nothing_is_written_when_the_spec_is_wrong(tmp_path: Path) -> None:
    spec = tmp_path / "bad.dl"
    spec.write_text("network A:\n    input x: float[N, 3]\n    output y = x + z\n")
    assert dlc("compile", spec, "--backend", "all", "-o", tmp_path / "out").code == 1
    assert not (tmp_path / "out").exists()


def test_weights_are_kept_drawn_and_taken(tmp_path: Path) -> None:
    out = tmp_path / "out"
    model = out / "LeNet5.safetensors"
    assert "initial weights, seed 0" in dlc("compile", LENET, "--backend", "onnx", "-o", out).out
    first = model.read_bytes()
    dlc("compile", LENET, "--backend", "onnx", "-o", out, "--seed", 3)
    assert model.read_bytes() != first
    trained = model.read_bytes()
    assert f"kept {model}" in dlc("compile", LENET, "--backend", "onnx", "-o", out).out
    assert model.read_bytes() == trained

    given = tmp_path / "given.safetensors"
    dlc("weights", LENET, "-o", given, "--seed", 9)
    assert f"weights of {given}" in dlc("compile", LENET, "--backend", "onnx", "-o", out, "--weights", given).out
    assert model.read_bytes() == given.read_bytes()

    dlc("compile", LENET, "--backend", "onnx", "-o", tmp_path / "none", "--no-weights")
    assert visible(tmp_path / "none") == ["LeNet5.onnx"]


def test_weights_in_another_order_are_laid_out_anew(tmp_path: Path) -> None:
    from safetensors.numpy import save

    given = tmp_path / "given.safetensors"
    dlc("weights", LENET, "-o", given)
    tensors = read(given)
    other = tmp_path / "other.safetensors"
    other.write_bytes(save({name: np.ascontiguousarray(a) for name, a in tensors.items()}, {"made": "elsewhere" * 9}))
    assert dlc("compile", LENET, "--backend", "onnx", "-o", tmp_path, "--weights", other).code == 0
    assert (tmp_path / "LeNet5.safetensors").read_bytes() == given.read_bytes() != other.read_bytes()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    given = tmp_path / "given.safetensors"
    dlc("weights", LENET, "-o", given, "--set", "classes=7")
    done = dlc("compile", LENET, "--backend", "onnx", "-o", tmp_path / "out", "--weights", given)
    assert done.code == 1
    assert "E0803" in done.err
    assert not (tmp_path / "out").exists()
    done = dlc("compile", LENET, "--backend", "torch", "-o", tmp_path / "out", "--weights", given)
    assert done.code == 2


def test_two_specs_do_not_overwrite_each_other(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "lenet.dl"
    other.parent.mkdir()
    shutil.copy(LENET, other)
    out = tmp_path / "out"
    assert dlc("compile", LENET, "--backend", "torch", "-o", out).code == 0
    before = (out / "lenet_torch.py").read_bytes()
    other.write_text(other.read_text().replace("dense(84)", "dense(85)"))
    done = dlc("compile", other, "--backend", "torch", "-o", out)
    assert done.code == 2
    assert "E0807" in done.err
    assert "examples/lenet.dl" in done.err
    assert str(other) in done.err
    assert (out / "lenet_torch.py").read_bytes() == before
    assert dlc("compile", LENET, "--backend", "torch", "-o", out).code == 0
    # Deleting the file, or the spec that made it, makes room.
    (out / "lenet_torch.py").unlink()
    assert dlc("compile", other, "--backend", "torch", "-o", out).code == 0
    other.unlink()
    assert dlc("compile", LENET, "--backend", "torch", "-o", out).code == 0


def test_one_network_name_in_two_specs(tmp_path: Path) -> None:
    text = "network Net:\n    input x: float[N, 3]\n    output y = x -> dense(2)\n"
    for stem in ("a", "b"):
        (tmp_path / f"{stem}.dl").write_text(text)
    out = tmp_path / "out"
    assert dlc("compile", tmp_path / "a.dl", "--backend", "torch", "-o", out).code == 0
    assert dlc("compile", tmp_path / "b.dl", "--backend", "torch", "-o", out).code == 0
    assert visible(out) == ["a_torch.py", "b_torch.py"]
    assert dlc("compile", tmp_path / "a.dl", "--backend", "onnx", "-o", out).code == 0
    done = dlc("compile", tmp_path / "b.dl", "--backend", "onnx", "-o", out)
    assert done.code == 2
    assert "Net.onnx" in done.err


@pytest.mark.parametrize("way", ["file", "folder"])
def test_something_in_the_way(tmp_path: Path, way: str) -> None:
    out = tmp_path / "out"
    if way == "file":
        out.write_text("mine")
    else:
        (out / "lenet_torch.py").mkdir(parents=True)
    done = dlc("compile", LENET, "--backend", "torch", "-o", out)
    assert done.code == 2
    assert "E0801" in done.err
    assert out.is_dir() or out.read_text() == "mine"


def test_a_write_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    out = tmp_path / "out"
    dlc("compile", LENET, "--backend", "torch", "-o", out)
    before = (out / "lenet_torch.py").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    done = dlc("compile", LENET, "--backend", "torch", "-o", out, "--no-natives")
    assert done.code == 2
    assert "No space left on device" in done.err
    assert visible(out) == ["lenet_torch.py"]
    assert (out / "lenet_torch.py").read_bytes() == before


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        dlc("compile", EXAMPLES / "transformer.dl", "--backend", "torch", "-o", tmp_path / name)
    assert (tmp_path / "a" / "transformer_torch.py").read_bytes() == (
        tmp_path / "b" / "transformer_torch.py"
    ).read_bytes()


def test_json(tmp_path: Path) -> None:
    told = json.loads(dlc("compile", LENET, "--backend", "torch", "-o", tmp_path, "--json").out)
    assert told == {"exit_code": 0, "diagnostics": [], "lines": [f"wrote {tmp_path / 'lenet_torch.py'}"]}
    done = dlc("compile", LENET, "--backend", "torch", "-o", tmp_path, "--network", "LeNet", "--json")
    assert (done.code, done.err) == (2, "")
    assert [d["code"] for d in json.loads(done.out)["diagnostics"]] == ["E0203"]
