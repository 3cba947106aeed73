"""Fused attention."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call
from dlc.backends.torch.natives.parts import option, value_of
from dlc.ir import Module


def _fits(module: Module) -> bool:
    """No mask beside `causal`, and none that makes rows of its own (the block lets a mask of 5 rows meet 1 query).

    Found in torch 2.13 on the CPU (f16, bf16, f32, f64): a row that may attend to nothing gives 0 and finite gradients,
    `is_causal` is aligned at the top left where T and S differ, and an S of 0 gives 0: as the block says.
    """
    types = {port.name: module.types[port.value].shape for port in module.inputs}
    if "mask" not in types:
        return True
    return value_of(module, "causal") is False and types["mask"][2] in (1, types["query"][2])


def _attention(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
    given = [operands[word] for word in ("query", "key", "value")]
    causal = option(a, "causal", False)
    return call("F.scaled_dot_product_attention", *given, attn_mask=operands.get("mask"), is_causal=causal)


ATTENTION = (Native("scaled_dot_product_attention", _fits, (), ("causal",), None, _attention),)
