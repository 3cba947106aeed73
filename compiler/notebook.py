"""Jupyter: what a loaded spec shows, and `%%dl` for specs in cells.

    %load_ext dlc

    %%dl
    network Tiny:
        input x: float[N, 4]
        output y = x -> dense(2)

defines `Tiny`, the network, and shows its picture and summary; `%%dl nets` also binds the file to `nets`. A mistake is
shown as on the command line, and stops "run all".
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from dlc.diagnostics import DlcError
from dlc.spec.source import Source

if TYPE_CHECKING:
    from dlc.api import Network, SpecFile
    from dlc.backends.api import Network as Programs

_CELL = "cell.dl"


class CellError(DlcError):
    """A mistake in a cell. IPython asks an exception how it wants to be shown."""

    def __init__(self, problem: DlcError, source: Source):
        super().__init__(problem.diagnostics, problem.exit_code)
        self.source = source

    def _render_traceback_(self) -> list[str]:
        from dlc.passes.resolve import standard_library
        from dlc.render import render_error

        sources = {**standard_library().sources, self.source.name: self.source}
        return render_error(self, sources, color=True).splitlines()


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext dlc` calls."""

    def dl(line: str, cell: str) -> SpecFile:
        """%%dl [name]: the cell is a spec; its networks become variables, with a name the whole file, too."""
        name = line.strip()
        if name and not name.isidentifier():
            raise ValueError(f"%%dl takes the name of a variable, not {name!r}")
        file = _read(cell)
        shell.push({network: file[network] for network in file.names} | ({name: file} if name else {}))
        return file

    shell.register_magic_function(dl, "cell", "dl")


def _read(text: str) -> SpecFile:
    from dlc.api import loads

    try:
        file = loads(text, _CELL)
        file.elaborate()
    except DlcError as problem:
        raise CellError(problem, Source(_CELL, text)) from None
    return file


def file_html(file: SpecFile) -> str:
    """Each network of the file, the first one unfolded; templates by name."""
    from dlc.api import deep_recursion

    try:
        found = file.elaborate()
    except DlcError as problem:
        return _problem(problem)
    with deep_recursion():
        shown = [(network.name, _network(network)) for network in found.unit.networks]
    parts = [html for _, html in shown]
    if len(shown) > 1:
        parts = [
            f"<details{' open' if index == 0 else ''}><summary>{escape(name)}</summary>{html}</details>"
            for index, (name, html) in enumerate(shown)
        ]
    for template in found.templates:
        parts.append(
            f"<div>{escape(template.name)} is a template: it needs {escape(', '.join(template.missing))}</div>"
        )
    return "".join(parts) or "<div>no networks</div>"


def network_html(network: Network) -> str:
    from dlc.api import deep_recursion

    try:
        with deep_recursion():
            return _network(network.programs)
    except DlcError as problem:
        return _problem(problem)


def _network(network: Programs) -> str:
    """The picture, where its libraries are there, and the summary under it."""
    from dlc.graph import draw
    from dlc.graph.picture import Picture
    from dlc.summary import summarise
    from dlc.summary.html import html

    table = html(summarise(network))
    try:
        picture = Picture(draw(network)).svg()
    except DlcError as problem:
        return f"{table}<div>{escape(str(problem))}</div>"
    scaled = picture.replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)
    return f"<div>{scaled}</div><details><summary>summary</summary>{table}</details>"


def _problem(problem: DlcError) -> str:
    return f"<pre>{escape(str(problem))}</pre>"
