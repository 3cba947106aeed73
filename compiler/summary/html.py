"""A summary as an HTML table, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from dlc.summary.numbers import short
from dlc.summary.table import block_text, instance_text, output_text, own_cells, pairs, totals
from dlc.summary.turns import Folded, fold

if TYPE_CHECKING:
    from dlc.summary import Summary

_TABLE = "border-collapse:collapse;font-size:90%"
_LEFT = "text-align:left;padding:1px 12px 1px 0;white-space:nowrap"
_RIGHT = "text-align:right;padding:1px 0 1px 12px;white-space:nowrap;font-variant-numeric:tabular-nums"


def html(summary: Summary) -> str:
    """No script, no style of the page's: colours are those of the notebook."""
    settings = f"({pairs(summary.hyperparameters)})" if summary.hyperparameters else ""
    ports = [
        f"{word} <code>{escape(f'{name}: {type_}')}</code>"
        for word, found in (("input", summary.inputs), ("state", summary.states), ("output", summary.outputs))
        for name, type_ in found
    ]
    sums = [f"{escape(title)}: {escape(text)}" for title, text in totals(summary)]
    head = _row(("instance", "block", "output", "parameters", "multiply-adds"), "th")
    body = "".join(_row([escape(cell) for cell in cells], "td") for cells in own_cells(summary))
    body += "".join(_row(_cells(node), "td") for node in _walk(fold(summary.tree)))
    return (
        f"<div><b>{escape(summary.name)}</b>{escape(settings)}<br>{'<br>'.join(ports)}"
        f'<table style="{_TABLE}"><thead>{head}</thead><tbody>{body}</tbody></table>{"<br>".join(sums)}</div>'
    )


def _walk(tree: Sequence[Folded]) -> list[Folded]:
    return [found for node in tree for found in (node, *_walk(node.children))]


def _row(cells: Sequence[str], tag: str) -> str:
    styles = (_LEFT,) * 3 + (_RIGHT,) * 2
    return "<tr>" + "".join(f'<{tag} style="{s}">{c}</{tag}>' for c, s in zip(cells, styles, strict=True)) + "</tr>"


def _cells(node: Folded) -> tuple[str, str, str, str, str]:
    indent = "&emsp;" * node.row.depth
    costs = short(node.multiply_adds) if node.multiply_adds != 0 else "-"
    return (
        indent + escape(instance_text(node)),
        escape(block_text(node)),
        escape(output_text(node)),
        f"{node.parameters:,}" if node.parameters or node.buffers else "-",
        escape(costs),
    )
