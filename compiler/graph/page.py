"""The whole picture: margins, the network's name above, a line about it below."""

from __future__ import annotations

from dataclasses import dataclass

from dlc.graph.arrange import Plan, arrange
from dlc.graph.metrics import text_width, wrap
from dlc.graph.model import Drawing
from dlc.graph.sizes import Text
from dlc.graph.style import DETAIL, HEAD

_MARGIN = 20.0


@dataclass(frozen=True, slots=True)
class Page:
    """`x`, `y`: where the plan's top left corner is."""

    width: float
    height: float
    x: float
    y: float
    texts: tuple[Text, ...]
    plan: Plan


def page(drawing: Drawing) -> Page:
    plan = arrange(drawing.graph)
    widest = max(plan.width, text_width(drawing.title, HEAD), 320.0)
    details = wrap(drawing.detail, DETAIL, widest, 3)
    captions = wrap(drawing.caption, DETAIL, widest, 3)
    texts = [Text(drawing.title, _MARGIN, _MARGIN + 14, HEAD, "start")]
    texts += [Text(line, _MARGIN, _MARGIN + 31 + 14 * i, DETAIL, "start", True) for i, line in enumerate(details)]
    top = _MARGIN + 36 + 14 * len(details)
    below = top + plan.height + 24
    texts += [Text(line, _MARGIN, below + 14 * i, DETAIL, "start", True) for i, line in enumerate(captions)]
    width = widest + 2 * _MARGIN
    return Page(width, below + 14 * (len(captions) - 1) + _MARGIN, (width - plan.width) / 2, top, tuple(texts), plan)
