"""YAML specs: one tree with the .dl form, mistakes at their places, a schema that knows what the reader takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import dlc
from dlc.diagnostics import DlcError
from dlc.spec import syntax as s
from dlc.spec.loader import load
from dlc.spec.parser import parse
from dlc.spec.printer import print_spec
from dlc.spec.source import Source
from dlc.spec.yaml_printer import print_yaml
from dlc.spec.yaml_schema import Document, schema

ROOT = Path(__file__).parents[2]
SPECS = sorted(
    [*(ROOT / "examples").rglob("*.dl"), *(ROOT / "spec/std").glob("*.dl"), *(ROOT / "tests/user").glob("*.dl")]
)
VGG = ROOT / "examples/vgg.yaml"


def meaning(spec: s.Spec) -> Any:
    """All but the order of blocks, networks and trains."""
    return spec.doc, spec.imports, sorted(map(repr, spec.declarations))


def of_yaml(text: str) -> s.Spec:
    return parse(Source("spec.yaml", text))


@pytest.mark.parametrize("path", SPECS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_dl_to_yaml_and_back(path: Path) -> None:
    spec = parse(load(str(path)))
    text = print_yaml(spec)
    again = of_yaml(text)
    assert meaning(again) == meaning(spec)
    assert print_yaml(again) == text
    Document.model_validate(yaml.safe_load(text))
    assert meaning(parse(Source("spec.dl", print_spec(again)))) == meaning(spec)


def test_the_sample_is_canonical_but_for_its_comments() -> None:
    text = VGG.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    quoted = [line.replace('"VGG(', "VGG(").replace(')"', ")") for line in lines]
    assert print_yaml(parse(load(str(VGG)))) == "\n".join(quoted) + "\n"


def test_elif_is_an_if_below_else() -> None:
    text = """
blocks:
  b:
    hyperparameters: {k: int}
    inputs: {x: "float[N]"}
    body:
      - if: k == 0
        then: [y: x]
        else:
          - if: k == 1
            then: [y: -x]
            else: [y: 2 * x]
      - output: y
"""
    (block,) = of_yaml(text).declarations
    assert isinstance(block, s.Block)
    choice = block.body[1]
    assert isinstance(choice, s.If)
    assert [len(choice.arms), len(choice.orelse)] == [2, 1]


@pytest.mark.parametrize(
    ("text", "place", "code", "words"),
    [
        ("networks:\n  A:\n    body:\n      - output: x +\n", (4, 20), "E0101", "not complete"),
        ("networks:\n  A:\n    body:\n      - x y: 3\n", (4, 9), "E0101", "starts no statement"),
        ("networks:\n  A:\n    inputs: {x: [N, 3]}\n    body:\n      - output: x\n", (3, 17), "E0131", "text in .dl"),
        ('networks:\n  A:\n    inputs: {x: "float[n 3]"}\n    body:\n      - output: x\n', (3, 26), "E0101", "3"),
        ("network:\n  A: B()\n", (1, 1), "E0131", "no section `network`"),
        ("networks:\n  A:\n    bodi: []\n", (3, 5), "E0131", "no section `bodi`"),
        (
            "networks:\n  A:\n    body:\n      - for: i in range(3)\n        then: []\n",
            (5, 9),
            "E0131",
            "has no `then`",
        ),
        ("networks:\n  A:\n    body:\n      - for: i in range(3)\n", (4, 9), "E0131", "lacks `do`"),
        ("networks:\n  A:\n    body:\n      - for: i range(3)\n        do: [x: i]\n", (4, 16), "E0101", "range"),
        ("networks:\n  A:\n    body:\n      - x: 1\n        y: 2\n", (5, 9), "E0131", "one key"),
        ("networks:\n  A: &a B()\n  C: *a\n", (3, 6), "E0130", "alias"),
        ("networks:\n  A: !!python/name:os.system B()\n", (2, 6), "E0130", "tag"),
        ("networks:\n  A: B()\n  A: C()\n", (3, 3), "E0131", "twice"),
        ("networks:\n  A: B(\n", (2, 7), "E0106", "never closed"),
        ("networks: [A, B]\n", (1, 11), "E0131", "a mapping"),
        ("networks:\n  A:\n   - b\n  c: [\n", (5, 1), "E0130", "YAML"),
        ("networks:\n  1A: B()\n", (2, 3), "E0105", "1A"),
        ("networks:\n  A: {}\n", (2, 3), "E0131", "empty"),
        ("- x\n", (1, 1), "E0131", "mapping"),
    ],
)
def test_mistakes_have_their_place(text: str, place: tuple[int, int], code: str, words: str) -> None:
    with pytest.raises(DlcError) as raised:
        of_yaml(text)
    (found,) = raised.value.diagnostics
    assert found.span is not None
    assert (found.code, (found.span.line, found.span.column)) == (code, place)
    assert words in found.message


def test_all_declarations_tell_their_first_mistake() -> None:
    with pytest.raises(DlcError) as raised:
        of_yaml("networks:\n  A:\n    body: [{output: x +}]\n  B:\n    body: [{output: (}]\n")
    assert [d.span.line for d in raised.value.diagnostics if d.span] == [3, 5]


@pytest.mark.parametrize(
    "text", ["[" * 5000, "a: " + "{b: " * 3000, "\t", "a: b: c", "%", "--- a\n--- b", "? [x]\n: y", "@"]
)
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(DlcError):
        of_yaml(text)


def test_fmt_converts(tmp_path: Path) -> None:
    for path in (VGG, ROOT / "examples/lenet.dl"):
        there = dlc("fmt", "--to", "yaml", path)
        assert there.code == 0
        (tmp_path / "spec.yaml").write_text(there.out, encoding="utf-8")
        back = dlc("fmt", "--to", "dl", tmp_path / "spec.yaml")
        assert meaning(parse(Source("spec.dl", back.out))) == meaning(parse(load(str(path))))
        (tmp_path / "spec.dl").write_text(back.out, encoding="utf-8")
        assert dlc("fmt", "--check", tmp_path / "spec.dl").code == 0
    assert dlc("fmt", "--to", "yaml", "--write", VGG).code == 2


def test_schema_is_json_with_the_sections() -> None:
    import json

    assert json.loads(dlc("schema").out) == schema()
    assert set(schema()["properties"]) == {"doc", "imports", "blocks", "networks", "trains"}
    assert schema()["additionalProperties"] is False
