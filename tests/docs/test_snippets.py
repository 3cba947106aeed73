"""Every snippet of the documentation means what the page says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dlc import parameters
from dlc.backends.reference.interpreter import Interpreter
from dlc.check_ir import check_program
from dlc.diagnostics import DlcError
from dlc.distributions import draw
from dlc.networks import Elaborated, elaborate
from dlc.parameters import network_parameters
from dlc.passes import elaborate as elaborate_pass
from dlc.passes import lifting, static
from dlc.passes.resolve import load_project
from dlc.passes.statements import DISTRIBUTIONS
from dlc.spec import lexer, loader, parser
from dlc.verify.compare import AGREES, INCONCLUSIVE
from dlc.verify.inputs import choose_sizes, make_inputs
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from doc_snippets import DOCS, Snippet, elaborated, snippets

PAGES = sorted(DOCS.glob("*.md"))
RIGHT = [s for page in PAGES for s in snippets(page, "dl")]
WRONG = [s for page in PAGES for s in snippets(page, "dl-error")]
_STATED = re.compile(r"^\s*output (?:(?P<name>\w+)(?: = |(?=\s+#)))?.*?#\s(?P<kind>[:=]) (?P<stated>.*)$", re.MULTILINE)
_NAMES = re.compile(r"^\s*# names: (.*)$", re.MULTILINE)


def test_pages_have_snippets() -> None:
    assert len(RIGHT) > 20
    assert len(WRONG) > 10


@pytest.mark.parametrize("snippet", RIGHT, ids=str)
def test_right(snippet: Snippet, tmp_path: Path) -> None:
    made = elaborated(snippet, tmp_path)
    for network in made.unit.networks:
        for program in (network.inference, network.training):
            check_program(program)
    for match in _STATED.finditer(snippet.text):
        _check_statement(made, match["name"] or "output", match["kind"], match["stated"].strip())
    for match in _NAMES.finditer(snippet.text):
        network = made.unit.networks[-1]
        assert [p.path for p in network_parameters(network.inference, network.training)] == match[1].split()


def _check_statement(made: Elaborated, name: str, kind: str, stated: str) -> None:
    found = [n for n in made.unit.networks if any(p.name == name for p in _entry(n).outputs)]
    assert found, f"no network has the output {name}"
    if kind == ":":
        entry = _entry(found[-1])
        assert stated in [str(entry.types[p.value]) for p in entry.outputs if p.name == name]
        return
    np.testing.assert_allclose(_run(found[-1])[name], np.asarray(ast.literal_eval(stated)), rtol=1e-12)


def _entry(network):
    return network.inference.module(network.inference.entry)


def _run(network) -> dict[str, np.ndarray]:
    program = network.inference
    weights = {p.path: draw(p.initial, p.shape, p.path, 0) for p in network_parameters(program, network.training)}
    inputs = make_inputs(program, choose_sizes(program, 0), 0)
    return Interpreter(program, weights, precision="f64").run(inputs)


@pytest.mark.parametrize("snippet", WRONG, ids=str)
def test_wrong(snippet: Snippet, tmp_path: Path) -> None:
    with pytest.raises(DlcError) as caught:
        elaborated(snippet, tmp_path)
    assert {d.code for d in caught.value.diagnostics} == set(snippet.arguments)
    assert all(d.span is not None for d in caught.value.diagnostics)


def test_every_block_is_used(tmp_path: Path) -> None:
    """A block that no snippet applies would be elaborated by none."""
    for page in PAGES:
        declared = {m for s in snippets(page, "dl") for m in re.findall(r"^block (\w+)", s.text, re.MULTILINE)}
        everything = "\n".join(s.text for s in snippets(page, "dl"))
        unused = [name for name in declared if len(re.findall(rf"\b{name}\b", everything)) < 2]
        assert not unused, f"{page.name}: {unused}"


def test_distributions_are_those_of_the_compiler() -> None:
    """The table names each distribution with its arguments and defaults (to four places)."""
    text = (DOCS / "language.md").read_text(encoding="utf-8")
    table = text[text.index("| distribution |") : text.index("Fans are counted")]
    shown = dict(re.findall(r"`(\w+)(?:\(([^)]*)\))?`", table))
    expected = {
        name: ", ".join(key if value is None else f"{key}={value:.5g}" for key, value in arguments)
        for name, arguments in DISTRIBUTIONS.items()
    }
    assert shown == expected


def test_default_initialisers_are_not_zero(tmp_path: Path) -> None:
    """A gain of 0 once made all weights of `kaiming_normal` zero."""
    path = tmp_path / "all.dl"
    names = [name for name, wanted in DISTRIBUTIONS.items() if None not in dict(wanted).values()]
    lines = [f"param {name}_: float[6, 5] ~ {name}" for name in names]
    total = " + ".join(line.split()[1].rstrip(":") for line in lines)
    path.write_text("\n    ".join(["network All:", *lines, f"output {total}"]) + "\n", encoding="utf-8")
    (network,) = elaborate(load_project(path)).unit.networks
    for p in network_parameters(network.inference, network.training):
        values = draw(p.initial, p.shape, p.path, 0)
        assert (values.std() > 0) == (p.path not in ("zeros_", "ones_")), p.path


def test_limits_are_those_of_the_compiler() -> None:
    text = (DOCS / "language.md").read_text(encoding="utf-8")
    limits = " ".join(text[text.index("## Limits") :].split())
    assert lexer.MAX_BRACKETS == parser.MAX_DEPTH == elaborate_pass.MAX_NESTING == 200
    for stated in (
        f"files of {loader.MAX_BYTES // 10**6} MB",
        f"nested {parser.MAX_DEPTH} deep",
        f"{static.MAX_BITS:,} bits",
        f"{static.MAX_LIST:,} items",
        f"{elaborate_pass.MAX_WORK:,} operations",
        f"{parameters.LIMIT:,} instances",
        f"{lifting.MAX_STATES:,} states",
    ):
        assert stated in limits, stated


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """One process per framework for all snippets."""
    with Workers() as made:
        yield made


def _verified(snippet: Snippet, folder: Path, backends: list[str], workers: Workers) -> None:
    """Every output agrees, or is exact where rounding alone could move it (halves that are rounded)."""
    unit = elaborated(snippet, folder).unit
    report = verify(unit, backends, Settings(sizes=1, find_cause=False), workers=workers)
    problems = "\n".join(report.problems())
    assert {case.status for case in report.cases} <= {AGREES, INCONCLUSIVE}, problems
    assert all(o.error == 0 for case in report.cases for o in case.outputs if o.verdict == INCONCLUSIVE), problems


@pytest.mark.parametrize("snippet", RIGHT, ids=str)
def test_agrees_on_onnx(snippet: Snippet, tmp_path: Path, workers: Workers) -> None:
    _verified(snippet, tmp_path, ["onnx"], workers)


@pytest.mark.slow
@pytest.mark.parametrize("snippet", RIGHT, ids=str)
def test_agrees_on_every_backend(snippet: Snippet, tmp_path: Path, workers: Workers) -> None:
    _verified(snippet, tmp_path, ["torch", "tensorflow"], workers)
