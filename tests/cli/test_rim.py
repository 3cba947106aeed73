"""Whatever goes wrong, `dlc` ends with one clear message, a fitting exit code and no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import EXAMPLES, dlc
from dlc import cli

LENET = EXAMPLES / "lenet.dl"
GIVEN = [sys.executable, "-m", "dlc"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["chek", "x.dl"], 2, "did you mean `check`?"),
        (["check"], 2, "FILE"),
        (["check", "nowhere.dl"], 2, "nowhere.dl does not exist"),
        (["check", "."], 2, "is a directory"),
        (["compile", LENET], 2, "--backend"),
        (["compile", LENET, "--backend", "torhc"], 2, "did you mean `torch`?"),
        (["compile", LENET, "--backend", "torch", "--precision", "f33"], 2, "f33"),
        (["summary", LENET, "--network", "LeNet"], 2, "did you mean `LeNet5`?"),
        (["summary", LENET, "--set", "classes"], 2, "--set name=value"),
        (["summary", LENET, "--set", "clases=3"], 2, "did you mean `classes`?"),
        (["summary", LENET, "--set", "classes=3", "--set", "classes=4"], 2, "twice"),
        (["summary", LENET, "--set", "classes=1 +"], 1, "--set classes"),
        (["summary", LENET, "--dim", "N=none"], 2, "whole number"),
        (["summary", LENET, "--dim", "N=0"], 2, "whole number"),
        (["summary", LENET, "--dim", "Q=3"], 2, "Q"),
        (["weights", LENET, "--seed", "-1"], 2, "--seed"),
        (["verify", LENET, "--backends", ","], 2, "names no backend"),
        (["verify", LENET, "--inputs", "nowhere.npz"], 2, "E0814"),
        (["verify", LENET, "--backends", "onnx", "--dim", "Q=3"], 2, "Q"),
        (["fmt", LENET, "--check", "--write"], 2, "exclude"),
        (["--nonsense"], 2, "E0901"),
    ],
)
def test_wrong_usage(arguments: list[object], code: int, words: str) -> None:
    done = dlc(*arguments)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert done.err.startswith("error[E")


def test_errors_as_json(tmp_path: Path) -> None:
    spec = tmp_path / "bad.dl"
    spec.write_text("network A:\n    input x: float[N, 3]\n    output y = x + z\n")
    for command in (["check", spec], ["summary", spec], ["verify", spec, "--backends", "onnx"]):
        done = dlc(*command, "--json")
        data = json.loads(done.out)
        assert (done.code, done.err) == (1, "")
        assert data["exit_code"] == 1
        (diagnostic,) = data["diagnostics"]
        assert (diagnostic["code"], diagnostic["span"]["line"]) == ("E0201", 3)


def test_a_setting_shows_its_own_text() -> None:
    done = dlc("summary", LENET, "--set", "classes=10 + foo")
    assert "10 + foo" in done.err
    assert "^^^" in done.err


def test_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise ValueError("a\nb")

    monkeypatch.setattr(cli, "_run", broken)
    done = dlc("ops")
    assert done.code == 70
    assert done.err.splitlines()[0] == "dlc: a fault in dlc itself: ValueError: a b"
    assert "DLC_DEBUG=1" in done.err
    monkeypatch.setenv("DLC_DEBUG", "1")
    done = dlc("ops")
    assert done.code == 70
    assert "Traceback" in done.err


def test_a_reader_that_goes_away() -> None:
    with subprocess.Popen([*GIVEN, "ops", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == cli.PIPE


def test_an_interrupt() -> None:
    process = subprocess.Popen(
        [*GIVEN, "verify", str(EXAMPLES / "resnet.dl"), "--backends", "onnx"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(2.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == cli.INTERRUPTED
    assert err.strip() == "interrupted"
    assert out == ""


def test_a_missing_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import util

    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *rest: None if name == "torch" else real(name, *rest))
    done = dlc("verify", LENET, "--backends", "torch")
    assert done.code == 3
    assert 'pip install "dlc[torch]"' in done.out


def test_nothing_given_shows_help() -> None:
    done = dlc()
    assert done.code == 0
    assert all(word in done.out for word in ("check", "summary", "compile", "weights", "verify", "fmt", "ops"))
    assert dlc("--version").out == "dlc 0.1.0\n"


def test_color_only_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    from dlc.cli.show import wants_color

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert wants_color(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_color(Terminal())
    assert "\x1b" not in dlc("check", "nowhere.dl").err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = dlc("compile", LENET, "--backend", "torch", "-o", tmp_path)
    assert done.code == 2
    assert "E0801" in done.err


@pytest.mark.parametrize("command", [("check",), ("summary",), ("compile", "--backend", "torch"), ("weights",)])
def test_forty_doublings_end_in_a_diagnostic(command: tuple[str, ...], tmp_path: Path) -> None:
    """A block that calls the one before it twice, forty times: 2^40 instances."""
    blocks = ["block b0:\n    input x: float[N, D]\n    output x -> dense(D)\n"]
    for i in range(1, 41):
        blocks.append(f"block b{i}:\n    input x: float[N, D]\n    output x -> b{i - 1} -> b{i - 1}\n")
    spec = tmp_path / "double.dl"
    spec.write_text(
        "\n".join(blocks) + "\nnetwork A:\n    input x: float[N, 4]\n    output x -> b40\n", encoding="utf-8"
    )
    given = [] if command[0] in ("check", "summary") else ["-o", tmp_path / "out"]
    done = dlc(command[0], spec, *command[1:], *given)
    assert done.code == 1
    assert "E0590" in done.err
    assert not (tmp_path / "out").exists()
