"""The .dl files that every part of the front end is tested on."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SAMPLES = sorted((ROOT / "examples").rglob("*.dl")) + sorted((ROOT / "spec" / "std").glob("*.dl"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))
