"""`python -m dlc.explain`: writes docs/errors.md."""

from __future__ import annotations

from pathlib import Path

from dlc.explain import document

Path("docs/errors.md").write_text(document(), encoding="utf-8")
