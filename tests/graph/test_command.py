"""`dlc graph`: files by their ending, and what goes wrong."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import dlc
import pytest
from command_line import EXAMPLES
from command_line import dlc as run

LENET = EXAMPLES / "lenet.dl"


def test_each_ending(tmp_path: Path) -> None:
    for ending, start in (
        (".svg", b"<svg "),
        (".png", b"\x89PNG"),
        (".html", b"<!doctype html>"),
        (".PNG", b"\x89PNG"),
    ):
        path = tmp_path / "deep" / f"net{ending}"
        done = run("graph", LENET, "-o", path)
        assert (done.code, done.out, done.err) == (0, f"wrote {path}\n", "")
        assert path.read_bytes().startswith(start)


def test_one_file_per_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("graph", EXAMPLES / "dcgan.dl")
    assert done.out == "wrote Generator.svg\nwrote Discriminator.svg\n"
    assert all(ET.parse(path).getroot().tag.endswith("svg") for path in tmp_path.iterdir())
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        (["-o", "net.pdf"], 2, ".svg, .png, .html"),
        (["-o", "net"], 2, "no ending"),
        (["--expand", "denze"], 2, "did you mean `dense`?"),
        (["--network", "LeNet"], 2, "did you mean `LeNet5`?"),
        (["--depth", "deep"], 2, "whole number"),
    ],
)
def test_wrong_usage(options: list[str], code: int, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("graph", LENET, *options)
    assert done.code == code
    assert word in done.err
    assert not list(tmp_path.iterdir())


def test_one_output_for_several_networks(tmp_path: Path) -> None:
    done = run("graph", EXAMPLES / "dcgan.dl", "-o", tmp_path / "net.svg")
    assert done.code == 2
    assert "Generator, Discriminator" in done.err


def test_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("graph", LENET, "-o", tmp_path / "file" / "net.svg")
    assert (done.code, "E0801" in done.err) == (2, True)
    (tmp_path / "net.svg").mkdir()
    done = run("graph", LENET, "-o", tmp_path / "net.svg")
    assert "a folder of that name" in done.err


@pytest.mark.parametrize(("module", "ending"), [("scipy.optimize", ".svg"), ("PIL", ".png")])
def test_missing_libraries(module: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    done = run("graph", LENET, "-o", tmp_path / f"net{ending}")
    assert done.code == 3
    assert 'pip install "dlc[graph]"' in done.err
    assert not list(tmp_path.iterdir())


def test_options_reach_the_picture(tmp_path: Path) -> None:
    def shown(*options: object) -> str:
        path = tmp_path / "net.svg"
        assert run("graph", EXAMPLES / "resnet.dl", "--network", "ResNet18", "-o", path, *options).code == 0
        return path.read_text(encoding="utf-8")

    assert shown("--depth", 0).count('class="open"') == 0
    assert shown("--depth", 1).count('class="open"') == 3  # conv_bn, and basic with and without projection
    assert shown("--depth", 1, "--expand", "all").count('class="open"') == 8
    assert shown("--depth", 1, "--expand", "all", "--turns").count('class="open"') == 9
    assert ">×2<" in shown()


def test_templates_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.dl").write_text("network A(n: int):\n    input x: float[N, 4]\n    output y = x -> dense(n)\n")
    assert run("graph", "a.dl").out == "skipped A: a template, it needs n (--set name=value)\n"
    done = run("graph", "a.dl", "-o", "a.svg")
    assert (done.code, "found: no network" in done.err) == (2, True)
    assert run("graph", "a.dl", "--network", "A", "--set", "n=3", "-o", "a.svg").out == "wrote a.svg\n"


def test_python(tmp_path: Path) -> None:
    picture = dlc.load(LENET)["LeNet5"].graph(depth=1)
    assert picture.write(tmp_path / "a.svg").read_text(encoding="utf-8") == picture.svg() == picture._repr_svg_()
    with pytest.raises(dlc.DlcError, match="no kind of picture"):
        picture.write(tmp_path / "a.jpg")


def test_a_network_of_nothing(tmp_path: Path) -> None:
    """No box at all; a value that passes; an output of constants."""
    for body in ("output y = x", "output y = 2 * x + 1", "output y = float(arange(3))"):
        network = dlc.loads(f"network A:\n    input x: float[N, 3]\n    {body}\n")["A"]
        assert ET.fromstring(network.graph().svg()) is not None
        assert network.summary().parameters == 0
