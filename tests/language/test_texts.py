"""Texts of a spec, docstrings and string constants, reach the generated code whole, and never become code in it."""

from __future__ import annotations

import ast
from pathlib import Path

import onnx
import pytest
from dlc.api import compile_unit
from dlc.networks import elaborate
from dlc.passes.resolve import load_project

TEXTS = {
    "plain": "One line.",
    "triple": 'He said """ and left.',
    "ends in a quote": 'He said "so"',
    "ends in many": 'So """"""',
    "single": "It's '''here'''",
    "backslashes": "C:\\new\\table \\x41 \\u0041 \\N{DIGIT ONE} \\d+ \\'",
    "ends in a backslash": "back\\",
    "ends in two": "back\\\\",
    "braces": "{x} {{y}} {__import__('os').abort()} %s %(a)s ${HOME} $x",
    "code": 'Nothing."""\nimport os\nos.abort()\n"""',
    "code, indented": "Nothing.\n\n    import os\n    os.abort()\n\nThe end.",
    "signs": "α → β, 層, \u00a0 \u200b \U0001f600",
    "line breaks of other kinds": "a\u2028b\x0cc\x1cd",
    "comment": "# no comment -> x",
    "raw": 'r"x" b"y" f"{z}" \\\n no continuation',
}
BACKENDS = ("torch", "tensorflow")


def literal(text: str) -> str:
    """A string of the language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""{escaped}"""'


def spec(text: str, value: str = "on") -> str:
    quoted = literal(value)
    return f"""{literal(text)}

block gain(mode: str = "off"):
    {literal(text)}
    input x: float[*B, D]
    param weight: float[D] = 1
    y = x * weight
    if mode == {quoted}:
        y = y + 1
    output y


network Net:
    {literal(text)}
    input x: float[N, 4]
    output x -> gain -> gain(mode={quoted})
"""


def compiled(folder: Path, backend: str, text: str, value: str = "on") -> str | bytes:
    path = folder / "spec.dl"
    path.write_text(spec(text, value), encoding="utf-8")
    files = compile_unit(elaborate(load_project(path)).unit, backend).files
    return files["Net.onnx" if backend == "onnx" else f"spec_{backend}.py"]


def words(text: str | None) -> list[str]:
    """A text without its line breaks and indentation, which a docstring's layout may change."""
    return (text or "").split()


class _Bare(ast.NodeTransformer):
    """Takes the docstrings out, and the name under which Keras knows a file (it holds the text's hash)."""

    def __init__(self) -> None:
        self.docs: list[str | None] = []

    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            self.docs.append(ast.get_docstring(node))
            node.body = node.body[1:]
        if isinstance(node, ast.keyword) and node.arg == "package":
            node.value = ast.Constant("package")
        return node


def bare(source: str) -> tuple[str, list[str | None]]:
    remover = _Bare()
    tree = remover.visit(ast.parse(source))
    return ast.dump(tree), remover.docs


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", TEXTS)
def test_docstrings_are_kept_and_inert(tmp_path: Path, name: str, backend: str) -> None:
    """Without its docstrings, the code is that of a spec with a harmless one; each docstring is there, word by word."""
    source, harmless = compiled(tmp_path, backend, TEXTS[name]), compiled(tmp_path, backend, "Harmless.")
    assert isinstance(source, str)
    assert isinstance(harmless, str)
    compile(source, "spec.py", "exec")
    code, docs = bare(source)
    assert code == bare(harmless)[0]
    holding = [doc for doc in docs if words(doc)[: len(words(TEXTS[name]))] == words(TEXTS[name])]
    assert len(holding) >= 3, docs


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", TEXTS)
def test_string_constants_are_kept(tmp_path: Path, name: str, backend: str) -> None:
    source = compiled(tmp_path, backend, "Doc.", TEXTS[name])
    assert isinstance(source, str)
    tree = ast.parse(source)
    tests = [node.test for node in ast.walk(tree) if isinstance(node, ast.If) and "mode" in ast.unparse(node.test)]
    assert tests, source
    for test in tests:
        assert TEXTS[name] in [part.value for part in ast.walk(test) if isinstance(part, ast.Constant)]


@pytest.mark.parametrize("name", TEXTS)
def test_onnx_keeps_texts_as_data(tmp_path: Path, name: str) -> None:
    data = compiled(tmp_path, "onnx", TEXTS[name], TEXTS[name])
    assert isinstance(data, bytes)
    model = onnx.load_from_string(data)
    docs = [model.graph.doc_string, *(f.doc_string for f in model.functions)]
    assert [words(doc) for doc in docs] == [words(TEXTS[name])] * len(docs)
    assert len(docs) == 3
