"""`check`, `summary`, `weights`, `fmt`, `ops`: what they print and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import EXAMPLES, EXPECTED, dlc
from dlc.weights import read_header

LENET = EXAMPLES / "lenet.dl"


@pytest.fixture(autouse=True)
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in what is printed are those of the checkout."""
    monkeypatch.chdir(EXAMPLES.parent)


def test_check_counts_what_is_there() -> None:
    done = dlc("check", "examples/resnet.dl", "examples/dcgan.dl")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "examples/resnet.dl: 4 networks, 1 template: all right\n"
        "examples/dcgan.dl: 2 networks, 2 train sections: all right\n"
    )


def test_check_shows_the_mistakes_of_all_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.dl").write_text("network A:\n    input x: float[N, 3]\n    output y = x -> dens(2)\n")
    done = dlc("check", tmp_path / "one.dl", LENET, tmp_path / "two.dl")
    assert done.code == 1
    assert done.out == f"{LENET}: 1 network: all right\n"
    assert done.err.count("error[E0201]") == 2
    assert "did you mean `dense`?" in done.err
    assert "output y = x -> dens(2)" in done.err


@pytest.mark.parametrize("stem", ["lenet", "seq2seq"])
def test_summary(stem: str, check_golden: Callable[[Path, str], None]) -> None:
    done = dlc("summary", f"examples/{stem}.dl")
    assert (done.code, done.err) == (0, "")
    check_golden(EXPECTED / f"summary_{stem}.txt", done.out)


def test_summary_json_is_json_and_adds_up() -> None:
    found = json.loads(dlc("summary", "examples/resnet.dl", "--json").out)
    assert [network["network"] for network in found["networks"]] == ["ResNet18", "ResNet34", "ResNet50", "ResNet152"]
    assert found["templates"] == [{"network": "ResNet", "missing": ["unit", "depths"]}]
    counts = {network["network"]: network["parameters"] for network in found["networks"]}
    # torchvision's counts
    assert counts == {"ResNet18": 11689512, "ResNet34": 21797672, "ResNet50": 25557032, "ResNet152": 60192808}
    for network in found["networks"]:
        top = [row for row in network["instances"] if all(not row["path"].startswith(f"{o['path']}.") or o is row
                                                          for o in network["instances"])]  # fmt: skip
        assert sum(row["parameters"] for row in top) == network["parameters"]


def test_summary_depth() -> None:
    whole = dlc("summary", "examples/resnet.dl", "--network", "ResNet18").out
    short = dlc("summary", "examples/resnet.dl", "--network", "ResNet18", "--depth", 1).out
    assert "├─ conv_bn_2 " in whole
    assert "├─ conv_bn_2 " not in short
    assert short.splitlines()[-1] == whole.splitlines()[-1]


def test_settings_and_sizes_reach_the_network() -> None:
    text = dlc("summary", "examples/graph.dl", "--network", "GCN", "--set", "classes=2", "--dim", "F=34").out
    assert "features: float[V, 34]" in text
    assert "logits: float[V, 2]" in text
    text = dlc("summary", "examples/resnet.dl", "--network", "ResNet", "--set", "unit=basic", "--set", "depths=[1, 1]")
    assert "ResNet(unit=basic, depths=[1, 1], classes=1000)" in text.out


def test_weights_are_the_same_for_one_seed(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for path, seed in zip(files, (5, 5, 6), strict=True):
        assert dlc("weights", LENET, "-o", path, "--seed", seed).code == 0
    same, again, other = (path.read_bytes() for path in files)
    assert same == again != other
    assert read_header(files[0])["dense_3.weight"].shape == (10, 84)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_weights_of_two_networks_need_two_files(tmp_path: Path) -> None:
    done = dlc("weights", "examples/dcgan.dl", "-o", tmp_path / "w")
    assert done.code == 2
    assert "Generator, Discriminator" in done.err
    assert not list(tmp_path.iterdir())


def test_fmt_prints_what_reads_back_and_is_stable(tmp_path: Path) -> None:
    text = dlc("fmt", LENET).out
    path = tmp_path / "lenet.dl"
    path.write_text(text)
    assert dlc("fmt", path).out == text
    assert dlc("fmt", "--check", path).code == 0
    path.write_text(text.replace("image\n", "image   # a digit\n", 1).replace("    input", "    input  ", 1))
    assert dlc("fmt", "--check", path).code == 1
    assert dlc("summary", path).out == dlc("summary", LENET).out


def test_fmt_write_keeps_comments(tmp_path: Path) -> None:
    path = tmp_path / "a.dl"
    path.write_text('network A:  # "mine"\n    input x:   float[N, 3]\n    output y = x\n')
    assert dlc("fmt", "--write", path).out == f"wrote {path}\n"
    assert path.read_text() == 'network A:  # "mine"\n    input x: float[N, 3]\n    output y = x\n'
    assert dlc("fmt", "--write", path).out == ""


def test_fmt_write_refuses_yaml_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    text = "networks:\n  A:\n    inputs: {x: 'float[N, 3]'}\n    body:\n    - output y: x\n"
    path.write_text(f"# mine\n{text}")
    before = path.read_bytes()
    done = dlc("fmt", "--write", path)
    assert (done.code, path.read_bytes()) == (1, before)
    assert "E0902" in done.err
    path.write_text("doc: '# no comment'\n" + text.replace("x: 'float", "x:   'float"))
    assert dlc("fmt", "--write", path).code == 0


def test_ops_lists_every_op() -> None:
    from dlc.ops import OPS

    listed = json.loads(dlc("ops", "--json").out)
    assert [op["name"] for op in listed] == list(OPS)
    assert dlc("ops", "softmax").out.startswith("softmax(x, axis=")
    done = dlc("ops", "softmx")
    assert done.code == 2
    assert "did you mean `softmax`?" in done.err
