"""A network's picture, in the form that a file's ending asks for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib import import_module
from pathlib import Path

from dlc.diagnostics import error
from dlc.graph.marks import Sheet, sheet
from dlc.graph.model import Drawing
from dlc.output import write_files
from dlc.recursion import deep_recursion

ENDINGS = (".svg", ".png", ".html")
_INSTALL = 'pip install "dlc[graph]"'


@dataclass(frozen=True)
class Picture:
    """What `Network.graph()` gives: `.svg()`, `.png()`, `.html()`, `.write(path)`; a notebook shows it.

    All raise DlcError (E0708) where the libraries that pictures need are not installed.
    """

    drawing: Drawing

    def __repr__(self) -> str:
        return f"Picture({self.drawing.title!r})"

    @cached_property
    def sheet(self) -> Sheet:
        _need("scipy.optimize", "SciPy")
        with deep_recursion():
            return sheet(self.drawing)

    def svg(self) -> str:
        from dlc.graph.svg import svg

        with deep_recursion():
            return svg(self.sheet)

    def png(self) -> bytes:
        _need("PIL", "Pillow")
        from dlc.graph.png import png

        with deep_recursion():
            return png(self.sheet)

    def html(self) -> str:
        """A page of its own, the picture as wide as it is or as the window."""
        title = escape(self.drawing.title)
        return _PAGE.format(title=title, svg=self.svg().replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1))

    def write(self, path: str | Path) -> Path:
        """Writes the file, whole or not at all. Raises DlcError (E0901) for an ending that is none of ENDINGS."""
        target = Path(path)
        check_ending(target)
        make = {".svg": self.svg, ".png": self.png, ".html": self.html}[target.suffix.lower()]
        write_files(target.parent, {target.name: make()})
        return target

    def _repr_svg_(self) -> str:
        return self.svg()


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="margin:24px;text-align:center;background:#eceff3">
{svg}</body>
</html>
"""


def check_ending(path: Path) -> None:
    if path.suffix.lower() not in ENDINGS:
        found = f"`{path.suffix}`" if path.suffix else "no ending"
        raise error("E0901", f"`{path}` is no kind of picture", found=found, expected=", ".join(ENDINGS), exit_code=2)


def _need(module: str, name: str) -> None:
    try:
        import_module(module)
    except ImportError as problem:
        raise error("E0708", f"pictures need {name}, which is not installed", hint=_INSTALL, exit_code=3) from problem
