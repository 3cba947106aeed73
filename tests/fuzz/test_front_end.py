"""Any text, and any mutation of a valid spec, gives a program or diagnostics: no traceback, at most two seconds.

Some hundreds of cases per run; `make fuzz` goes on until one fails (`DLC_FUZZ` is the number of cases of each test).
"""

from __future__ import annotations

import os
import re
import time
from functools import cache
from pathlib import Path

from dlc.diagnostics import DlcError
from dlc.networks import elaborate
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project
from dlc.passes.warnings import file_warnings
from dlc.render import render_all, to_json
from dlc.spec.format import format_source
from dlc.spec.parser import parse
from dlc.spec.printer import print_spec
from dlc.spec.source import Source
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 2.0  # of this process' own time: others may be at work on the machine
CASES = int(os.environ.get("DLC_FUZZ", "0"))
#: Whole networks, small enough to be elaborated a hundred times.
SPECS = sorted(
    [
        *(ROOT / "tests" / "user").glob("*.dl"),
        *(ROOT / "examples" / f"{name}.dl" for name in ("char_lstm", "dcgan", "graph", "lenet", "seq2seq", "unet")),
        ROOT / "examples" / "vgg.yaml",
    ]
)
LIBRARY = sorted((ROOT / "spec" / "std").glob("*.dl"))
_TOKEN = re.compile(r'"[^"\n]*"|\w+|->|\*\*|//|[=!<>]=|\.\.|\n *|[^\w\s]')
#: What is put in: words, signs, numbers and things that are at home elsewhere.
PIECES = (
    "0", "1", "-1", "2.5", "10**9", "9**9**9", "inf", "nan", "none", "true", "N", "T", "x", "training", '"a"', "[1, 2]",
    "[]", "()", "(", ")", "[", "]", ":", ",", "=", "==", "->", "..", "...", "*", "**", "//", "@", "~", "&", "|", "-",
    "if", "else", "for", "in", "is", "not", "and", "or", "next", "input", "output", "state", "param", "buffer",
    "sample", "send", "aggregate", "messages", "step", "set", "import", "block", "network", "train", "dense(3)", "relu",
    "lstm_cell(4)", "scan", "range(3)", "split(x, 2)", "x.h", "x[0]", "x[:, -1]", "self", "\n", "\n    ", "\n        ",
    "\t", "#", '"""', "'", "\\", "é", "\x00", "\u2028", "{", "}", ";", "0x1", "1e999", "_", "__", "float[N, 8]",
    "~ normal(0, 1)", "in 0..5", "= 0", "layer", "list[int]", "size",
)  # fmt: skip
_slow = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def cases(number: int) -> settings:
    return settings(max_examples=CASES or number, deadline=None, suppress_health_check=_slow)


@cache
def pieces(path: Path) -> tuple[str, ...]:
    """A spec's text, cut at its tokens; what stands between them belongs to the one before."""
    text = path.read_text(encoding="utf-8")
    starts = [match.start() for match in _TOKEN.finditer(text)]
    return tuple(text[a:b] for a, b in zip([0, *starts], [*starts, len(text)], strict=True))


edits = st.tuples(st.sampled_from(("delete", "double", "swap", "insert", "replace")), st.integers(0), st.integers(0))


def mutated(path: Path, changes: list[tuple[str, int, int]]) -> str:
    """The text with tokens deleted, doubled, exchanged, put in or replaced."""
    tokens = list(pieces(path))
    for how, one, other in changes:
        i, j = one % len(tokens), other % len(tokens)
        piece = PIECES[other % len(PIECES)] if other % 3 else tokens[j]
        match how:
            case "delete":
                tokens[i] = ""
            case "double":
                tokens.insert(i, tokens[i])
            case "swap":
                tokens[i], tokens[j] = tokens[j], tokens[i]
            case "insert":
                tokens.insert(i, f" {piece} ")
            case _:
                tokens[i] = f"{piece} "
    return "".join(tokens)


def check_told(problem: DlcError, source: Source) -> None:
    """Something is said, and all of it can be shown."""
    assert problem.diagnostics
    for columns in (None, 50):
        shown = render_all(problem.diagnostics, {source.name: source}, columns=columns)
        assert "\x1b" not in shown
        assert "\x00" not in shown
    for diagnostic in problem.diagnostics:
        assert to_json(diagnostic)["message"]


def parses(name: str, text: str) -> None:
    source = Source(name, text)
    started = time.process_time()
    try:
        tree = parse(source)
    except DlcError as problem:
        check_told(problem, source)
    else:
        if not name.endswith(".yaml"):
            assert parse(Source("again.dl", print_spec(tree))) == tree
            again = Source("again.dl", format_source(source, tree))
            assert parse(again) == tree
            assert format_source(again, parse(again)) == again.text
    assert time.process_time() - started < SECONDS


def elaborates(path: Path, text: str) -> None:
    started = time.process_time()
    try:
        project = load_project(path, text)
        file_warnings(project.scope)
        for network in elaborate(project).unit.networks:
            network_parameters(network.inference, network.training)
    except DlcError as problem:
        check_told(problem, Source(str(path), text))
    assert time.process_time() - started < SECONDS


@cases(120)
@given(st.text(max_size=300), st.sampled_from(("any.dl", "any.yaml")))
@example("", "any.dl")
@example("# nothing", "any.yaml")
@example("network A:\n  output (", "any.dl")
def test_any_text(text: str, name: str) -> None:
    parses(name, text)


@cases(120)
@given(st.lists(st.sampled_from(PIECES), max_size=60), st.sampled_from(("any.dl", "any.yaml")))
def test_any_words(words: list[str], name: str) -> None:
    parses(name, " ".join(words))


@cases(120)
@given(st.sampled_from([*SPECS, *LIBRARY]), st.lists(edits, min_size=1, max_size=5))
def test_mutations_are_parsed_or_told(path: Path, changes: list[tuple[str, int, int]]) -> None:
    parses(path.name, mutated(path, changes))


@cases(120)
@given(st.sampled_from(SPECS), st.lists(edits, min_size=1, max_size=3))
def test_mutations_are_programs_or_told(path: Path, changes: list[tuple[str, int, int]]) -> None:
    elaborates(path, mutated(path, changes))
