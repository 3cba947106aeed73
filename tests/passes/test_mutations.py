"""Samples with lines or tokens deleted, doubled, swapped, and numbers changed: only DlcError may come out."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from dlc.diagnostics import DlcError
from dlc.networks import elaborate
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parent.parent.parent / "examples"
SAMPLES = [ROOT / f"{name}.dl" for name in ("char_lstm", "dcgan", "graph", "lenet", "seq2seq", "transformer")]
TOKEN = re.compile(r"\w+|[^\w\s]")


def mutated(text: str, seed: int) -> str:
    """The text with one to three small changes."""
    generator = random.Random(seed)
    for _ in range(generator.randint(1, 3)):
        text = generator.choice((_lines, _tokens, _number))(text, generator)
    return text


def _lines(text: str, generator: random.Random) -> str:
    lines = text.split("\n")
    i, j = generator.randrange(len(lines)), generator.randrange(len(lines))
    match generator.randrange(3):
        case 0:
            del lines[i]
        case 1:
            lines.insert(j, lines[i])
        case _:
            lines[i], lines[j] = lines[j], lines[i]
    return "\n".join(lines)


def _tokens(text: str, generator: random.Random) -> str:
    tokens = list(TOKEN.finditer(text))
    if not tokens:
        return text
    one, other = generator.choice(tokens), generator.choice(tokens)
    replacement = generator.choice(("", one[0] + " " + one[0], other[0]))
    return text[: one.start()] + replacement + text[one.end() :]


def _number(text: str, generator: random.Random) -> str:
    numbers = list(re.finditer(r"\b\d+\b", text))
    if not numbers:
        return text
    one = generator.choice(numbers)
    value = generator.choice(("0", "1", "-1", "2.5", "N", "none", "true", "10**9", "inf", '"a"', "[1, 2]"))
    return text[: one.start()] + value + text[one.end() :]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.stem)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_only_dlc_errors(sample: Path, seed: int, tmp_path: Path) -> None:
    path = tmp_path / "spec.dl"
    path.write_text(mutated(sample.read_text(encoding="utf-8"), seed), encoding="utf-8")
    try:
        for network in elaborate(load_project(path)).unit.networks:
            network_parameters(network.inference, network.training)
    except DlcError as problem:
        told = len(problem.diagnostics)
    else:
        told = 1
    assert told, "an error that says nothing"
