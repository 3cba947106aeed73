"""Small specs compiled to each backend, and the part of the code that a page shows."""

from __future__ import annotations

import ast
import re
import tempfile
from pathlib import Path

import dlc
import onnx

BACKENDS = {"PyTorch": "torch", "TensorFlow": "tensorflow", "ONNX": "onnx"}
#: What each generated file ends with: the same everywhere, so no page repeats it.
_HEADER = re.compile(r"\A<.*?^>\n", re.DOTALL | re.MULTILINE)
_BOILERPLATE = {"load_weights", "save_weights", "named_weights"}


def compiled(text: str, network: str | None = None) -> dict[str, str]:
    """By title of the backend: the code of a spec's network (its last one, if none is named).

    Raises DlcError where the spec is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.dl"
        path.write_text(text, encoding="utf-8")
        file = dlc.load(path)
        chosen = file[network or file.names[-1]]
        found: dict[str, str] = {}
        for title, backend in BACKENDS.items():
            code = chosen.compile(backend)
            found[title] = model_text(code) if backend == "onnx" else shown(code.source)
        return found


def model_text(code: dlc.api.Compiled) -> str:
    """An ONNX model's functions and graph, as ONNX's own printer has them, without where weights lie."""
    (data,) = (bytes for name, bytes in code.artifact.files.items() if name.endswith(".onnx"))
    model = onnx.load_from_string(data)
    for tensor in model.graph.initializer:
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
    parts = [onnx.printer.to_text(part) for part in (*model.functions, model.graph)]
    return "\n".join(_HEADER.sub("", part) for part in parts)


def shown(source: str) -> str:
    """The declarations of a generated file without imports and weight files."""
    lines = source.splitlines()
    parts: list[str] = []
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name in _BOILERPLATE:
            continue
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        parts.append("\n".join(lines[first - 1 : node.end_lineno]))
    return "\n\n\n".join(parts)


def tabs(codes: dict[str, str]) -> str:
    """Code side by side, a tab each (pymdownx.tabbed)."""
    return "\n".join(
        _tab(title, fenced(code, "text" if title == "ONNX" else "python")) for title, code in codes.items()
    )


def fenced(code: str, language: str) -> str:
    return f"```{language}\n{code.rstrip()}\n```\n"


def _tab(title: str, block: str) -> str:
    return f'=== "{title}"\n\n' + "".join(f"    {line}\n" if line else "\n" for line in block.splitlines())
