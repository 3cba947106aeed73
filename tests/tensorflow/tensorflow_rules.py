"""Runs one op through its TensorFlow rule, outside any generated file."""

from __future__ import annotations

import ast
from typing import Any

from dlc.backends.common.quote import dotted, literal, name
from dlc.backends.common.rule import Site, apply
from dlc.backends.tensorflow.rules import RULES
from dlc.dims import Size
from dlc.ops import OPS
from dlc.ops.samples import Case


class PlainTools:
    """Helpers come from the module `helpers`; every size is a number."""

    def helper(self, helper: str) -> ast.expr:
        return dotted(f"helpers.{helper}")

    def module(self, module: str) -> ast.expr:
        return name(module)

    def size(self, size: Size) -> ast.expr:
        return literal(size)

    def anchor(self) -> ast.expr | None:
        return None

    @property
    def precision(self) -> str:
        return "f32"


def code_of(op: str, case: Case, extra: dict[str, object] | None = None) -> str:
    """The rule's code, over the names `x0`, `x1`, ..."""
    declared = OPS[op]
    values = {key: value for key, value in case.attributes.items() if key != "precision"} | (extra or {})
    site = Site(
        op=op,
        operands=tuple(name(f"x{index}") for index in range(len(case.operands))),
        types=case.types,
        results=declared.infer(case.types, case.attributes),
        attributes={key: literal(value) for key, value in values.items()},
        values=values,
        tools=PlainTools(),
        above=(False,) * len(case.operands),
        numbers=(None,) * len(case.operands),
    )
    return ast.unparse(ast.fix_missing_locations(ast.Expression(apply(RULES[op], site))))


def run(op: str, case: Case, extra: dict[str, object] | None = None) -> list[Any]:
    """The results as NumPy arrays, computed inside a tf.function."""
    import tensorflow as tf
    from dlc.backends.tensorflow import helpers
    from keras import ops

    code = compile(code_of(op, case, extra), op, "eval")
    scope = {"tf": tf, "ops": ops, "helpers": helpers}
    arguments = [tf.constant(array) for array in case.operands]

    @tf.function(autograph=False)
    def traced(*operands: Any) -> Any:
        return eval(code, scope | {f"x{index}": operand for index, operand in enumerate(operands)})

    results = traced(*arguments)
    return [item.numpy() for item in (results if isinstance(results, list | tuple) else [results])]
