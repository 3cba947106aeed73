"""The names of types, and the diagnostics for a name that is not one."""

from __future__ import annotations

from dlc.diagnostics import did_you_mean, error
from dlc.spec.syntax import ConstantType
from dlc.spec.token import Token

DTYPES = ("float", "int", "bool", "f16", "bf16", "f32", "f64", "i32", "i64")
CONSTANT_TYPES = ("int", "float", "bool", "str", "list", "block", "layer", "size")


def check_dtype(token: Token) -> None:
    """The name before `[` in a tensor's type."""
    if token.text not in DTYPES:
        raise error(
            "E0108",
            f"`{token.text}` is not a tensor type",
            token.span,
            expected=_listed(DTYPES),
            hint=_dtype_hint(token.text),
        )


#: What other languages call element types.
_OTHER_NAMES = {
    "float32": "float",
    "float64": "f64",
    "double": "f64",
    "float16": "f16",
    "half": "f16",
    "bfloat16": "bf16",
    "int64": "int",
    "long": "int",
    "int32": "i32",
    "uint8": "int",
    "Tensor": "float",
    "tensor": "float",
    "FloatTensor": "float",
    "LongTensor": "int",
    "boolean": "bool",
}


def _dtype_hint(text: str) -> str | None:
    return f"write `{_OTHER_NAMES[text]}`" if text in _OTHER_NAMES else did_you_mean(text, DTYPES)


def check_constant_type(token: Token, has_element: bool) -> None:
    """The type of a hyperparameter; only `list` takes a type in brackets, and it always does."""
    name = token.text
    if name == "none" and not has_element:
        return
    if name not in CONSTANT_TYPES:
        raise error(
            "E0108",
            f"`{name}` is not the type of a hyperparameter",
            token.span,
            expected=_listed(CONSTANT_TYPES),
            hint=_tensor_hint(name) or did_you_mean(name, CONSTANT_TYPES),
        )
    if name == "list" and not has_element:
        raise error(
            "E0108", "a list says what it holds", token.span, found="`list`", expected="for instance `list[int]`"
        )
    if name != "list" and has_element:
        hint = "a hyperparameter is a constant; declare a tensor by `input`" if name in DTYPES else None
        raise error("E0108", f"`{name}` takes no brackets here", token.span, hint=hint)


def check_alone(kind: ConstantType) -> None:
    """The only type of a hyperparameter."""
    if kind.name == "none":
        raise error("E0108", "`none` is no type by itself", kind.span, expected="for instance `int | none`")


def _tensor_hint(name: str) -> str | None:
    """`block f(x: float[N]):`."""
    if len(name) == 1 and name.isupper():
        return "a tensor is declared in the body: `input x: float[N]`"
    return None


def check_option(option: ConstantType) -> None:
    """One of several types of a hyperparameter: whether it is a block or layer must be known from the text."""
    kind = option
    while kind.element is not None:
        kind = kind.element
    if kind.name in ("block", "layer"):
        raise error(
            "E0108",
            f"`{kind.name}` is no alternative to another type",
            option.span,
            expected="types of constants, for instance `int | list[int]`",
        )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{n}`" for n in names[:-1]) + f" or `{names[-1]}`"
