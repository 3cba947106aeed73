"""A summary as lines for a terminal: a tree with aligned columns that keeps to a width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlc.summary.numbers import exact, in_bytes, short
from dlc.summary.rows import elements, type_of
from dlc.summary.turns import Folded, fold

if TYPE_CHECKING:
    from dlc.summary import Summary

#: What is cut first where the lines are too long: the least that is left of each column, in the order of cutting.
_LEAST = (("block", 14), ("output", 16), ("instance", 18), ("block", 6), ("instance", 10), ("output", 8))
_TITLES = ("instance", "block", "output", "parameters", "multiply-adds")
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of text, each with a style: "", "title", "dim" or "rule"."""

    pieces: tuple[tuple[str, str], ...]

    @property
    def plain(self) -> str:
        return "".join(text for text, _ in self.pieces).rstrip()


def lines(summary: Summary, depth: int | None, expand: bool, width: int) -> list[Line]:
    """The whole summary. No line is longer than `width`, which is 40 at least."""
    width = max(width, 40)
    nodes = _walk(fold(summary.tree, expand=expand), depth, ("", ""))
    table = _table(nodes, own_cells(summary), width)
    parts = [*_head(summary, width), Line(())]
    if table:
        rule = Line((("─" * max(len(line.plain) for line in table), "rule"),))
        parts += [table[0], rule, *table[1:], rule]
    return [*parts, *_foot(summary, width), *_notes([node for _, node in nodes], width)]


def _head(summary: Summary, width: int) -> list[Line]:
    name = summary.name
    settings = f"({pairs(summary.hyperparameters)})" if summary.hyperparameters else ""
    found = [Line(((name, "title"), (cut(settings, width - len(name)), "")))]
    for word, ports in (("input", summary.inputs), ("state", summary.states), ("output", summary.outputs)):
        for port, type_ in ports:
            found.append(Line(((f"  {word:6}  ", "dim"), (cut(f"{port}: {type_}", width - 10), ""))))
    return found


def own_cells(summary: Summary) -> list[tuple[str, str, str, str, str]]:
    """A row for each parameter that the network declares itself."""
    return [
        (parameter.path, parameter.kind, _bare(type_of(parameter)), f"{elements(parameter):,}", "-")
        for parameter in summary.own
    ]


def _table(
    nodes: Sequence[tuple[str, Folded]], own: Sequence[tuple[str, str, str, str, str]], width: int
) -> list[Line]:
    if not nodes and not own:
        return []
    cells = [_TITLES, *own, *(_cells(guide, node, max(width // 5, 13)) for guide, node in nodes)]
    widths = _fit([max(len(row[column]) for row in cells) for column in range(5)], width)
    found: list[Line] = []
    for index, row in enumerate(cells):
        style = "dim" if index == 0 else ""
        shown = [cut(cell, size) for cell, size in zip(row, widths, strict=True)]
        left = [cell.ljust(size) for cell, size in zip(shown[:3], widths, strict=False)]
        right = [cell.rjust(size) for cell, size in zip(shown[3:], widths[3:], strict=True)]
        text = _GAP.join([left[0], left[1], left[2], *right])
        found.append(Line(((text, style),)) if index == 0 else _styled(left[0], _GAP.join([*left[1:], *right])))
    return found


def _styled(first: str, rest: str) -> Line:
    """The guides of the tree stand back."""
    name = first.lstrip("│├└─ ")
    return Line(((first[: len(first) - len(name)], "rule"), (name, ""), (_GAP + rest, "")))


def _fit(widths: list[int], width: int) -> list[int]:
    """The columns' widths with what is too much taken away, in the order of `_LEAST`."""
    fitted = list(widths)
    for title, least in _LEAST:
        column = _TITLES.index(title)
        excess = sum(fitted) + len(_GAP) * (len(fitted) - 1) - width
        if excess > 0:
            fitted[column] = max(min(least, fitted[column]), fitted[column] - excess)
    return fitted


def _walk(tree: Sequence[Folded], depth: int | None, guide: tuple[str, str]) -> list[tuple[str, Folded]]:
    """Rows with the tree's lines before their names; `guide`: before this level's names, and before what is below."""
    found: list[tuple[str, Folded]] = []
    if depth is not None and tree and tree[0].row.depth >= depth:
        return found
    for node in tree:
        last = node is tree[-1]
        here, below = ("", "") if node.row.depth == 0 else ("└─ " if last else "├─ ", "   " if last else "│  ")
        found.append((guide[1] + here, node))
        found += _walk(node.children, depth, (guide[1] + here, guide[1] + below))
    return found


def _cells(guide: str, node: Folded, widest: int) -> tuple[str, str, str, str, str]:
    costs = short(node.multiply_adds) if node.multiply_adds != 0 else "-"
    return (
        guide + instance_text(node),
        block_text(node),
        output_text(node),
        f"{node.parameters:,}" if node.parameters or node.buffers else "-",
        _cut_sum(costs, widest),
    )


def _cut_sum(text: str, width: int) -> str:
    """A polynomial's first terms, as far as there is room."""
    while len(text) > width:
        kept = text.removesuffix(" + …").rpartition(" + ")[0]
        if not kept:
            return cut(text, width)
        text = f"{kept} + …"
    return text


def instance_text(node: Folded) -> str:
    """`encoder_layer.0-5 ×6`; a star where it is used several times."""
    return node.name + (f" ×{node.count}" if node.count > 1 else "") + (" *" if uses_text(node) else "")


def uses_text(node: Folded) -> str:
    """`2 calls, 1 read` of an instance that is shared; "" of others. What a scan reads starts its states."""
    row = node.row
    reads = 0 if row.scanned else row.reads
    if row.calls + reads == 1 or (row.scanned and row.calls == 1):
        return ""
    counts = [(row.calls, "call"), (reads, "read")]
    texts = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
    return ", ".join(texts) or "called by what it is given to"


def block_text(node: Folded) -> str:
    """`scan gru_cell(256)`."""
    return ("scan " if node.row.scanned else "") + node.row.applied


def output_text(node: Folded) -> str:
    """The shape; of several outputs each with its name."""
    outputs = node.row.outputs
    single = len(outputs) == 1
    return ", ".join(_bare(type_) if single else f"{name} {_bare(type_)}" for name, type_ in outputs)


def _bare(type_: str) -> str:
    """Floats are what one expects: `[N, 10]` is a float."""
    return type_.removeprefix("float")


def pairs(items: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in items)


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def totals(summary: Summary) -> list[tuple[str, str]]:
    """The sums, as (what, how much)."""
    at = at_sizes(summary)
    buffers = f"; {summary.buffers:,} in buffers" if summary.buffers else ""
    return [
        ("parameters", f"{exact(summary.parameters)} ({in_bytes(summary.bytes)}){buffers}"),
        ("multiply-adds", short(summary.multiply_adds) + at),
        ("activations", in_bytes(summary.activations) + at),
    ]


def at_sizes(summary: Summary) -> str:
    """` for N = 1`: the sizes at which costs are told."""
    sizes = ", ".join(f"{name} = {size}" for name, size in summary.sizes.items())
    return f" for {sizes}" if sizes else ""


def _foot(summary: Summary, width: int) -> list[Line]:
    found: list[Line] = []
    for title, text in totals(summary):
        rows = _wrapped(text, width - 15)
        found.append(Line(((f"{title:13}  ", "dim"), (rows[0], ""))))
        found += [Line(((" " * 15, ""), (row, ""))) for row in rows[1:]]
    return found


def _notes(nodes: Sequence[Folded], width: int) -> list[Line]:
    """What the stars mean."""
    shared = [f"{node.row.path}: {uses}" for node in nodes if (uses := uses_text(node))]
    if not shared:
        return []
    shown = "; ".join(shared[:4]) + ("; …" if len(shared) > 4 else "")
    return [Line((("* counted once ", "dim"), (cut(shown, width - 15), "")))]


def _wrapped(text: str, width: int) -> list[str]:
    """A long polynomial goes on in the next line, at a sign."""
    rows = [""]
    for part in text.replace(" + ", "\0+ ").replace(" - ", "\0- ").replace(" for ", "\0for ").split("\0"):
        if rows[-1] and len(rows[-1]) + 1 + len(part) > width:
            rows.append(part)
        else:
            rows[-1] = f"{rows[-1]} {part}".strip()
    return [cut(row, width) for row in rows]
