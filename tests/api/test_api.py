"""The Python API: what `import dlc` costs and what its objects do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dlc
import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def modules_after(code: str) -> set[str]:
    """The top-level modules that are loaded after `code` in a fresh interpreter."""
    script = f"import sys\n{code}\nprint(*sorted({{n.partition('.')[0] for n in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=EXAMPLES)
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {"numpy", "torch", "tensorflow", "keras", "onnx", "onnxruntime", "rich", "pydantic", "lark", "yaml"}


def test_import_is_light() -> None:
    assert modules_after("import dlc") & (HEAVY | {"dataclasses"}) == set()


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "reference"])
def test_compiling_imports_nothing_heavy(backend: str) -> None:
    code = f"import dlc; dlc.load('lenet.dl')['LeNet5'].compile('{backend}').files"
    assert modules_after(code) & HEAVY == set()


def test_the_command_imports_nothing_heavy(tmp_path: Path) -> None:
    code = f"from dlc.cli import main; main(['compile', 'resnet.dl', '--backend', 'torch', '-o', {str(tmp_path)!r}])"
    assert modules_after(code) & HEAVY == set()


def test_networks_by_name() -> None:
    file = dlc.load(EXAMPLES / "resnet.dl")
    assert list(file) == ["ResNet", "ResNet18", "ResNet34", "ResNet50", "ResNet152"]
    assert file["ResNet50"].summary().parameters == 25557032
    with pytest.raises(KeyError, match="did you mean `ResNet50`"):
        file["Resnet50"]


def test_a_template_tells_what_it_needs() -> None:
    template = dlc.load(EXAMPLES / "resnet.dl")["ResNet"]
    with pytest.raises(dlc.DlcError, match="depths"):
        template.summary()
    made = template.with_settings(unit="basic", depths=[1, 1], classes=3)
    assert made.summary().outputs == (("logits", "float[N, 3]"),)


def test_settings_and_sizes() -> None:
    network = dlc.load(EXAMPLES / "graph.dl")["GCN"].with_settings(classes=2).with_sizes(F=34)
    assert network.summary().inputs == (("features", "float[V, 34]"), ("edges", "int[2, E]"))
    fixed = network.with_sizes(V=5)
    assert fixed.summary().inputs[0] == ("features", "float[5, 34]")


def test_source_and_files(tmp_path: Path) -> None:
    network = dlc.load(EXAMPLES / "lenet.dl")["LeNet5"]
    compiled = network.compile("torch")
    assert "class LeNet5(nn.Module)" in compiled.source
    assert compiled.write(tmp_path) == [tmp_path / "lenet_torch.py"]
    assert (tmp_path / "lenet_torch.py").read_text() == compiled.source
    with pytest.raises(dlc.DlcError, match="no source text"):
        assert network.compile("onnx").source
    assert "nn.LayerNorm" not in dlc.load(EXAMPLES / "transformer.dl").compile("torch", natives=False).source


def test_build_gives_models_that_agree(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    network = dlc.load(EXAMPLES / "lenet.dl")["LeNet5"]
    weights = tmp_path / "w.safetensors"
    network.write_weights(weights, seed=4)
    image = np.random.default_rng(0).standard_normal((3, 1, 28, 28)).astype(np.float32)
    model = network.build("torch", weights=weights)
    with torch.no_grad():
        first = model(torch.from_numpy(image)).numpy()
    (second,) = network.build("onnx", weights=weights).run(None, {"image": image})
    assert first.std() > 0
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-5 * np.abs(first).max())
    other = network.build("torch")
    assert not torch.equal(other.dense.weight, model.dense.weight)


def test_build_refuses_weights_of_another_network(tmp_path: Path) -> None:
    network = dlc.load(EXAMPLES / "lenet.dl")["LeNet5"]
    network.with_settings(classes=7).write_weights(tmp_path / "w")
    with pytest.raises(dlc.DlcError, match="dense_3"):
        network.build("torch", weights=tmp_path / "w")


def test_verify_on_own_inputs() -> None:
    image = np.ones((2, 1, 28, 28), np.float32)
    report = dlc.verify(EXAMPLES / "lenet.dl", backends=["onnx"], inputs={"image": image}, modes=["inference"])
    assert [(case.network, case.backend, case.status) for case in report.cases] == [("LeNet5", "onnx", "agrees")]
    assert dict(report.cases[0].sizes) == {"N": 2}


def test_verify_at_given_sizes() -> None:
    network = dlc.load(EXAMPLES / "graph.dl")["GCN"]
    report = dlc.verify(network, backends=["onnx"], sizes={"F": 6, "V": 5}, modes=["inference"])
    assert report.agreed
    assert all(dict(case.sizes)["V"] == 5 for case in report.cases)
    assert all("F" not in dict(case.sizes) for case in report.cases)


def test_verify_is_a_package_too() -> None:
    import dlc.verify.report

    assert callable(dlc.verify)
    assert dlc.verify.report.AGREES == "agrees"
