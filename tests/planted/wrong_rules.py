"""Wrong-makers: from a backend's rule one that gives something else. They work on any rule, so new ops are covered."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from dlc.backends.common.quote import quote
from dlc.backends.common.rule import Site, apply
from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.rule import Apply
from dlc.backends.onnx.rules import RULES as ONNX_RULES
from dlc.backends.tensorflow.dialect import KerasDialect
from dlc.backends.tensorflow.rules import RULES as TENSORFLOW_RULES
from dlc.backends.torch.dialect import TorchDialect
from dlc.backends.torch.rules import RULES as TORCH_RULES
from dlc.ir import FLOATS, TensorType

BACKENDS = ("torch", "tensorflow", "onnx")
RULES: dict[str, dict[str, Any]] = {"torch": TORCH_RULES, "tensorflow": TENSORFLOW_RULES, "onnx": ONNX_RULES}  # type: ignore[dict-item]


def shifted_python(rule: Any) -> Callable[[Site], ast.expr]:
    """The rule, and then each result is a little off (floats), one more (integers) or the opposite (bools)."""

    def wrong(site: Site) -> ast.expr:
        code, dtype = apply_plainly(rule, site), site.results[0].dtype
        if site.op in ("split", "unstack"):
            return quote(f"[{_shift('part', dtype)} for part in $x]", x=code)
        if len(site.results) > 1:
            return quote("[part + 1 for part in $x]", x=code)
        return quote(_shift("$x", dtype), x=code)

    return wrong


def apply_plainly(rule: Any, site: Site) -> ast.expr:
    """What the rule itself says: `apply` takes the only part of a sequence afterwards."""
    code = apply(rule, site)
    if site.op in ("split", "unstack") and len(site.results) == 1:
        assert isinstance(code, ast.Subscript)
        return code.value
    return code


def _shift(word: str, dtype: str) -> str:
    return f"~{word}" if dtype == "bool" else f"{word} + 0.01" if dtype in FLOATS else f"{word} + 1"


def shifted_onnx(rule: Any) -> Callable[[Builder, Apply], list[Value]]:
    """The same with a node after each result."""

    def wrong(b: Builder, use: Apply) -> list[Value]:
        found = rule(b, use)
        results = found if isinstance(found, list) else [found]
        return [_off(b, value, type_.dtype) for value, type_ in zip(results, use.results, strict=True)]

    return wrong


def _off(b: Builder, value: Value, dtype: str) -> Value:
    value.hint = value.hint or "right"
    if dtype == "bool":
        return b("Not", value)
    return b("Add", value, b.number(0.01 if dtype in FLOATS else 1, dtype))


#: Ops that stand as plain numbers in Python code: the dialects spell these without asking a rule.
NUMBERS = ("constant", "dimension")
DIALECTS: dict[str, type] = {"torch": TorchDialect, "tensorflow": KerasDialect}


@contextmanager
def planted(backend: str, *ops: str) -> Iterator[None]:
    """The rules of these ops are wrong meanwhile."""
    make = shifted_onnx if backend == "onnx" else shifted_python
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(RULES[backend], {op: make(RULES[backend][op]) for op in ops}))
        if backend in DIALECTS and not set(NUMBERS).isdisjoint(ops):
            stack.enter_context(mock.patch.object(DIALECTS[backend], "number", _wrong_number(DIALECTS[backend].number)))
        yield


def _wrong_number(right: Any) -> Any:
    def number(self: Any, code: ast.expr, value: object, kind: TensorType, *rest: Any) -> ast.expr:
        return quote(_shift("$x", kind.dtype), x=right(self, code, value, kind, *rest))

    return number
