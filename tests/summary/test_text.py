"""What `dlc summary` prints: turns folded, lines that keep to the terminal's width, JSON with a fixed schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import dlc
import pytest
from command_line import dlc as run
from dlc.cli.summary_command import _colored  # pyright: ignore[reportPrivateUsage]
from dlc.summary.numbers import in_bytes, short
from dlc.summary.table import lines

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"


@pytest.fixture(autouse=True)
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES.parent)


@pytest.mark.parametrize("network", ["resnet.ResNet50", "transformer.Transformer", "ntm.CopyNTM"])
def test_golden(network: str, check_golden: Callable[[Path, str], None]) -> None:
    stem, _, name = network.partition(".")
    done = run("summary", f"examples/{stem}.dl", "--network", name)
    assert (done.code, done.err) == (0, "")
    check_golden(HERE / "expected" / f"{stem}.txt", done.out)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("path", ["resnet.dl", "transformer.dl", "seq2seq.dl", "vgg.yaml"])
def test_no_line_is_longer_than_the_terminal(path: str, width: int) -> None:
    file = dlc.load(EXAMPLES / path)
    for name in file.names[1:2] or file.names:
        shown = [line.plain for line in lines(file[name].summary(), None, False, width)]
        # A table of five columns needs 59 columns at the least.
        assert max(map(len, shown)) <= max(width, 59)


def test_turns_are_folded_and_expanded() -> None:
    folded = run("summary", "examples/transformer.dl", "--network", "Transformer", "--depth", 1).out
    whole = run("summary", "examples/transformer.dl", "--network", "Transformer", "--depth", 1, "--expand").out
    assert re.search(r"^encoder_layer\.0-5 ×6 .* 18,914,304 ", folded, re.MULTILINE)
    assert re.findall(r"^encoder_layer\.(\d) .* 3,152,384 ", whole, re.MULTILINE) == list("012345")
    assert "encoder_layer.0-5" not in whole
    assert folded.splitlines()[-4:] == whole.splitlines()[-4:]


def test_only_equal_turns_are_folded() -> None:
    text = str(dlc.load(EXAMPLES / "resnet.dl")["ResNet50"].summary())
    names = re.findall(r"^unit\S*(?: ×\d)?", text, re.MULTILINE)
    assert names == [
        *("unit.0.0", "unit.0.1-2 ×2", "unit.1.0", "unit.1.1-3 ×3"),
        *("unit.2.0", "unit.2.1-5 ×5", "unit.3.0", "unit.3.1-2 ×2"),
    ]
    assert " ×" not in str(dlc.load(EXAMPLES / "unet.dl")["UNet"].summary())


def test_turns_that_differ_inside_only_are_not_folded() -> None:
    text = (
        "block step:\n    input x: float[N, D]\n    input other: float[N, D] = none\n"
        "    if other is none:\n        y = x -> gelu\n    else:\n        y = x -> silu\n    output y\n\n"
        "network A:\n    input x: float[N, 4]\n"
        "    for i in range(2):\n        x = step()(x, other=x if i == 0 else none)\n    output z = x\n"
    )
    shown = str(dlc.loads(text)["A"].summary())
    assert "step.0 " in shown
    assert "step.1 " in shown


def test_shared_instances_are_marked() -> None:
    text = str(dlc.load(EXAMPLES / "transformer.dl")["Transformer"].summary())
    assert re.search(r"^tokens \* ", text, re.MULTILINE)
    assert text.endswith("* counted once tokens: 2 calls, 1 read")
    assert "*" not in str(dlc.load(EXAMPLES / "lenet.dl")["LeNet5"].summary())


def test_batch() -> None:
    text = run("summary", "examples/lenet.dl", "--batch", 8).out
    assert "multiply-adds  3.33 M for N = 8" in text
    assert "activations    467 kB for N = 8" in text
    done = run("summary", "examples/gat.dl", "--batch", 8)
    assert done.code == 2
    assert "`GAT` has no dimension that is a batch" in done.err
    assert run("summary", "examples/lenet.dl", "--batch", 0).code == 2
    sized = run("summary", "examples/gat.dl", "--dim", "V=10", "--dim", "E=20").out
    assert "multiply-adds  922 k" in sized


def test_json_has_the_schema_of_the_docs() -> None:
    """docs/summary.md lists the keys."""
    data = json.loads(run("summary", "examples/seq2seq.dl", "--json").out)
    (network,) = data["networks"]
    page = (EXAMPLES.parent / "docs" / "summary.md").read_text(encoding="utf-8")
    keys = set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))
    assert keys == set(data) | set(network) | set(network["instances"][0])
    assert network["sizes"] == {"N": 1}
    assert network["multiply_adds"] == "786432*S + 131840*S*T + 6995968*T + 65536"
    forward = next(row for row in network["instances"] if row["path"] == "forward")
    assert (forward["block"], forward["calls"], forward["parameters"]) == ("scan gru_cell", 1, 394240)
    assert len([row for row in network["instances"] if row["path"].startswith("forward.")]) == 2


def test_no_color_but_on_a_terminal() -> None:
    assert "\x1b" not in run("summary", "examples/lenet.dl").out


def test_color_changes_no_letter() -> None:
    shown = lines(dlc.load("examples/transformer.dl")["Transformer"].summary(), None, False, 100)
    colored = _colored(shown)
    assert "\x1b[1mTransformer\x1b[0m" in colored[0]
    assert [re.sub(r"\x1b\[\d*m", "", line).rstrip() for line in colored] == [line.plain for line in shown]


def test_a_spec_cannot_write_to_the_terminal() -> None:
    network = dlc.loads('network A(mode: str = "a\\u001b[31m\\n\\"b"):\n    input x: float[N, 4]\n    output y = x\n')[
        "A"
    ]
    assert str(network.summary()).splitlines()[0] == 'A(mode="a\\u001b[31m\\u000a\\"b")'
    assert "\x1b" not in network.graph().svg()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "0"), (999, "999"), (1000, "1.00 k"), (9994, "9.99 k"), (9996, "10.0 k"), (999499, "999 k")),
        *((999600, "1.00 M"), (4089184256, "4.09 G"), (123456789, "123 M"), (-2500, "-2.50 k"), (10**19, "10.0 E")),
    ],
)
def test_short_numbers(number: int, text: str) -> None:
    assert short(number) == text


def test_bytes() -> None:
    assert [in_bytes(n) for n in (12, 61706 * 4, 10**9)] == ["12 B", "247 kB", "1.00 GB"]
