"""What README shows is what dlc does today. `pytest --update-golden` writes the generated code into it anew."""

from __future__ import annotations

import re
from pathlib import Path

import dlc
import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [match[2] for match in FENCE.finditer(README.read_text(encoding="utf-8")) if match[1] == language]


def test_generated_code(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = tmp_path / "classifier.dl"
    path.write_text(blocks("dl")[0], encoding="utf-8")
    source = dlc.load(path).compile("torch").source
    if request.config.getoption("--update-golden"):
        old = f"```python\n{blocks('python')[0]}```"
        README.write_text(
            README.read_text(encoding="utf-8").replace(old, f"```python\n{source}```", 1), encoding="utf-8"
        )
    assert blocks("python")[0] == source


def test_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    code = blocks("python")[1]
    assert "ResNet18" in code
    small = code.replace('["ResNet18"]', '["ResNet18"].with_settings(depths=[1, 1])')
    space: dict[str, object] = {}
    exec(small.replace("dlc.verify(net", "dlc.verify(net, sizes={'N': 1}, modes=['inference']"), space)
    assert type(space["model"]).__name__.startswith("ResNet")


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
