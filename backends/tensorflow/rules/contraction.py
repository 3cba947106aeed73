"""Matrix products and einsum."""

from __future__ import annotations

from dlc.backends.common.rule import Rule

CONTRACTION: dict[str, Rule] = {
    "matmul": "ops.matmul($0, $1)",
    "einsum": "ops.einsum($pattern, *$operands)",
}
