"""What the shell is offered."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from argcomplete import CompletionFinder
from command_line import EXAMPLES, dlc
from dlc.cli.completion import attach
from dlc.cli.options import COMMANDS, _parser  # pyright: ignore[reportPrivateUsage]


def offered(line: str) -> list[str]:
    """The last word's completions."""
    parser = _parser()
    attach(parser)
    finder = CompletionFinder(parser, always_complete_options="long")
    text = line.removeprefix("dlc ")
    found = [finder.rl_complete(text, 0)]
    while found[-1] is not None:
        found.append(finder.rl_complete(text, len(found)))
    return [word.strip().rpartition(" ")[2] for word in found[:-1] if word]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dlc su", ["summary"]),
        ("dlc graph examples/resnet.dl --network ResNet1", ["ResNet18", "ResNet152"]),
        ("dlc summary examples/le", ["examples/lenet.dl"]),
        ("dlc compile examples/lenet.dl --backend t", ["tensorflow", "torch"]),
        ("dlc verify examples/lenet.dl --backends torch,o", ["torch,onnx"]),
        ("dlc graph examples/resnet.dl --expand bott", ["bottleneck"]),
        ("dlc graph examples/resnet.dl --expand rms", ["rms_norm"]),
        ("dlc ops conv_t", ["conv_transpose"]),
        ("dlc summary examples/lenet.dl --ex", ["--expand"]),
        ("dlc summary nowhere.dl --network ", []),
    ],
)
def test_words(line: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES.parent)
    assert sorted(offered(line)) == sorted(words)


def test_commands() -> None:
    assert set(COMMANDS) <= set(offered("dlc "))


def test_the_shell_is_answered() -> None:
    """Through the whole program, as the shell asks: words on file descriptor 8."""
    line = "dlc summary examples/lenet.dl --network "
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": "bash", "_ARGCOMPLETE_IFS": "\n"}
    asked |= {"COMP_LINE": line, "COMP_POINT": str(len(line))}
    command = ["bash", "-c", f"{sys.executable} -m dlc.cli 8>&1 9>/dev/null"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **asked}, cwd=EXAMPLES.parent
    )
    assert (done.returncode, done.stdout.strip()) == (0, "LeNet5")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(shell: str) -> None:
    done = dlc("completion", shell)
    assert done.code == 0
    assert "dlc" in done.out
    assert "_ARGCOMPLETE" in done.out
    assert dlc("completion", "tcl").code == 2
