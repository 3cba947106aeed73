"""Sums, means and extremes over segments (graphs); helpers of the file."""

from __future__ import annotations

import ast

from dlc.backends.common.rule import Rule, Rules, Site


def _segment(name: str) -> Rule:
    def rule(site: Site) -> ast.expr:
        return ast.Call(site.tools.helper(name), [*site.operands, site.attribute("count")], [])

    return rule


RULES: Rules = {
    name: _segment(name)
    for name in ("segment_sum", "segment_mean", "segment_max", "segment_min", "segment_softmax", "segment_count")
}
