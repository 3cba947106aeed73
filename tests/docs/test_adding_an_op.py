"""The op of docs/adding-an-op.md, put into the tables, works on every backend."""

from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from dlc.backends.api import Options, Unit
from dlc.networks import elaborate
from dlc.ops import OPS
from dlc.ops.samples import draw
from dlc.passes.resolve import load_project
from dlc.verify.backends import find_backend
from dlc.verify.run import Settings, verify
from doc_snippets import DOCS, Snippet, snippets
from gradient_programs import one_op

PAGE = DOCS / "adding-an-op.md"
NAME = "arctan"
BACKENDS = ("torch", "tensorflow", "onnx")


def _module(snippet: Snippet):
    path = snippet.arguments[0].removesuffix(".py")
    dotted = path.replace("/", ".")
    return import_module(f"dlc.{dotted.removeprefix('compiler.')}")


def _declared() -> object:
    (snippet,) = snippets(PAGE, "python")
    scope = dict(vars(_module(snippet)))
    exec(snippet.text, scope)
    return scope["ARCTAN"]


def _rules() -> dict[str, object]:
    """The page's rule of each backend, evaluated where the page says that it stands."""
    found: dict[str, object] = {}
    for snippet in snippets(PAGE, "python-entries"):
        folder, backend, *_ = snippet.arguments[0].split("/")
        if folder == "backends":
            found[backend] = _entry(snippet)
    return found


def _entry(snippet: Snippet) -> object:
    return eval(f"{{{snippet.text}}}", dict(vars(_module(snippet))))[NAME]


def _gradient() -> object:
    (snippet,) = (item for item in snippets(PAGE, "python-entries") if item.arguments[0].startswith("compiler/"))
    return _entry(snippet)


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unit:
    (table,) = (t for t in gc.get_referents(OPS) if isinstance(t, dict))  # OPS is a read-only view of it
    monkeypatch.setitem(table, NAME, _declared())
    monkeypatch.setitem(import_module("dlc.ops.gradients").GRADIENTS, NAME, _gradient())
    for backend, rule in _rules().items():
        monkeypatch.setitem(import_module(f"dlc.backends.{backend}.rules").RULES, NAME, rule)
    (snippet,) = snippets(PAGE, "dl-new-op")
    path = tmp_path / "angles.dl"
    path.write_text(snippet.text, encoding="utf-8")
    return elaborate(load_project(path)).unit


def test_every_backend_has_its_rule() -> None:
    assert set(_rules()) == set(BACKENDS)


def test_samples(unit: Unit) -> None:
    op = OPS[NAME]
    for sample in op.samples:
        case = draw(op, sample)
        (result,) = case.evaluate()
        assert op.infer(case.types, case.attributes)[0].shape == result.shape
    assert draw(op, op.samples[0]).evaluate()[0].max() < np.pi / 2


def test_gradient(unit: Unit) -> None:
    case = draw(OPS[NAME], OPS[NAME].samples[0])
    program = one_op(case.op, case.types, case.attributes)
    (found,) = program.tape.run([*case.operands, np.ones((2, 3))], [item for item in program.found if item is not None])
    step = 1e-6
    (after,), (before,) = (case.op.evaluate([case.operands[0] + sign * step], {}) for sign in (1, -1))
    np.testing.assert_allclose(found, (after - before) / (2 * step), rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_compiles(unit: Unit, backend: str) -> None:
    artifact = find_backend(backend).compile(unit, Options())
    (content,) = artifact.files.values()
    text = content if isinstance(content, str) else content.decode("latin-1")
    assert {"onnx": "Atan"}.get(backend, NAME) in text


def test_agrees_and_a_wrong_rule_is_caught(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(modes=("inference",), sizes=1)
    report = verify(unit, ["onnx"], settings)
    assert report.agreed, report.problems()
    rules = import_module("dlc.backends.onnx.rules").RULES
    monkeypatch.setitem(rules, NAME, rules["tanh"])
    wrong = verify(unit, ["onnx"], settings)
    assert wrong.exit_code == 1
    (case,) = wrong.cases
    assert case.cause is not None
    assert (case.cause.op, case.cause.span.line) == (NAME, 3)


def test_generated_torch_code_gives_the_same_numbers(unit: Unit, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from dlc.verify.compare import AGREES

    report = verify(unit, ["torch"], Settings(modes=("inference",), sizes=1))
    assert [case.status for case in report.cases] == [AGREES], report.problems()
    assert np.isfinite(report.cases[0].outputs[0].error)
