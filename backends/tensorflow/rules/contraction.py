"""Matrix products and einsum."""

from __future__ import annotations

import ast

from dlc.backends.common.quote import literal
from dlc.backends.common.rule import Rule, Site
from dlc.backends.tensorflow.rules.code import function, unless


def _diagonal(site: Site) -> ast.expr:
    offset = unless(site, "offset", 0)
    return function("ops.diagonal", site.operands[0], offset=offset, axis1=literal(-2), axis2=literal(-1))


CONTRACTION: dict[str, Rule] = {
    "diagonal": _diagonal,
    "solve": "tf.linalg.solve($0, $1)",
    "matmul": "ops.matmul($0, $1)",
    "einsum": "ops.einsum($pattern, *$operands)",
}
