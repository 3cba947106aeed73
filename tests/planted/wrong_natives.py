"""Wrong-makers for native layers, and the tables that they are planted in."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import quote
from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.natives import NATIVES as ONNX_NATIVES
from dlc.backends.onnx.natives import Native as OnnxNative
from dlc.backends.tensorflow.natives import ALWAYS
from dlc.backends.tensorflow.natives import NATIVES as TENSORFLOW_NATIVES
from dlc.backends.torch.natives import NATIVES as TORCH_NATIVES
from dlc.backends.torch.natives.parts import always
from dlc.ir import Module

TABLES: dict[str, dict[Any, Any]] = {
    "torch": TORCH_NATIVES,  # type: ignore[dict-item]
    "tensorflow": TENSORFLOW_NATIVES,
    "onnx": ONNX_NATIVES,  # type: ignore[dict-item]
}


def block_of(key: Any) -> str:
    """The block's name: ONNX' table has its file too."""
    return key[1] if isinstance(key, tuple) else key


def shifted(native: Any) -> Any:
    """The native, and then the result is a little off."""
    if isinstance(native, OnnxNative):
        return _Off(native.op, native.weights, native.attributes, native.when, native.inputs)

    def apply(operands: Mapping[str, ast.expr], arguments: Arguments) -> ast.expr:
        return quote("$y + 0.01", y=_applied(native, operands, arguments))

    return replace(native, apply=apply)


def _applied(native: Native, operands: Mapping[str, ast.expr], arguments: Arguments) -> ast.expr:
    if native.apply is not None:
        return native.apply(operands, arguments)
    given = [code for word, code in operands.items() if word != "layer"]
    return ast.Call(operands["layer"], given, [])


class _Off(OnnxNative):
    def call(self, b: Builder, module: Module, given: Mapping[str, Value], hint: str, name: str) -> Value:
        return b("Add", super().call(b, module, given, hint, name), b.number(0.01, "float"), hint=hint)


def with_keyword(native: Native, word: str, value: object) -> Native:
    """The native, made with another value of one keyword."""

    def construct(arguments: Arguments) -> ast.expr:
        assert native.construct is not None
        code = native.construct(arguments)
        assert isinstance(code, ast.Call)
        kept = [keyword for keyword in code.keywords if keyword.arg != word]
        return ast.Call(code.func, code.args, [*kept, ast.keyword(word, ast.Constant(value))])  # type: ignore[arg-type]

    return replace(native, construct=construct)


def is_unconditional(native: Any) -> bool:
    """Whether a native stands for its block always (ONNX: in 32 bits)."""
    if isinstance(native, OnnxNative):
        return not native.when
    return native.condition in (always, ALWAYS)


def everywhere(native: Any) -> Any:
    """The native without its condition."""
    if isinstance(native, OnnxNative):
        return replace(native, when=())
    return replace(native, condition=lambda module: True)
