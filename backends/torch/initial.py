"""Initial values: torch's own initialisers with the spec's distributions."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dlc.backends.common.quote import call, literal, quote
from dlc.backends.torch.dtypes import dtype_code, is_default


def tensor(
    kind: str,
    shape: Sequence[ast.expr],
    numbers: Sequence[object],
    code: Sequence[ast.expr],
    dtype: str,
    precision: str,
) -> ast.expr:
    """The tensor to start from: filled if the initial value is a constant, else empty."""
    keywords = (
        [] if is_default(dtype, precision) or dtype == "float" else [ast.keyword("dtype", dtype_code(dtype, precision))]
    )
    if kind in ("constant", "zeros", "ones", "expression") and len(numbers) <= 1:
        number = {"zeros": 0, "ones": 1}.get(kind, numbers[0] if numbers else None)
        for plain, function in ((0, "torch.zeros"), (1, "torch.ones")):
            if isinstance(number, int | float) and number == plain:
                return ast.Call(quote(function), list(shape) or [ast.Tuple([], ast.Load())], keywords)
        return ast.Call(quote("torch.full"), [ast.Tuple(list(shape), ast.Load()), code[0]], keywords)
    if kind == "expression":
        return ast.Call(quote("torch.tensor"), [ast.List(list(code), ast.Load())], keywords)
    return ast.Call(quote("torch.empty"), list(shape) or [ast.Tuple([], ast.Load())], keywords)


def initialiser(
    kind: str, target: ast.expr, shape: Sequence[ast.expr], numbers: Sequence[object], code: Sequence[ast.expr]
) -> ast.expr | None:
    """The call that fills the tensor, or None where it is filled already."""
    a = list(code)
    match kind:
        case "uniform" | "normal":
            return call(f"nn.init.{kind}_", target, *a)
        case "truncated_normal":
            low, high = quote("$m - 2 * $s", m=a[0], s=a[1]), quote("$m + 2 * $s", m=a[0], s=a[1])
            return call("nn.init.trunc_normal_", target, *a, low, high)
        case "xavier_uniform" | "xavier_normal" if len(shape) >= 2:
            return call(f"nn.init.{kind}_", target, *([] if list(numbers) in ([1.0], []) else a))
        case "orthogonal" if len(shape) >= 2:
            return call("nn.init.orthogonal_", target, *([] if list(numbers) in ([1.0], []) else a))
        case "constant" | "zeros" | "ones" | "expression":
            return None
        case _:
            return _by_fan(kind, target, shape, a)


def _by_fan(kind: str, target: ast.expr, shape: Sequence[ast.expr], a: list[ast.expr]) -> ast.expr | None:
    """Fans as in `dlc.distributions`: of [a, b, *rest], fan_in is b prod(rest); a vector of n has n."""
    fan_in, fan_out = _fans(shape)
    gain = a[0] if a else literal(1.0)
    if kind.startswith("xavier"):
        total = quote("$i + $o", i=fan_in, o=fan_out)
        if kind == "xavier_uniform":
            bound = quote("$g * ($six / ($total)) ** 0.5", g=gain, six=6, total=total)
            return call("nn.init.uniform_", target, quote("-($b)", b=bound), bound)
        return call("nn.init.normal_", target, literal(0.0), quote("$g * (2 / ($total)) ** 0.5", g=gain, total=total))
    if kind == "kaiming_uniform":
        bound = quote("$g * (3 / ($n)) ** 0.5", g=gain, n=fan_in)
        return call("nn.init.uniform_", target, quote("-($b)", b=bound), bound)
    if kind in ("kaiming_normal", "lecun_normal"):
        std = quote("$g / ($n) ** 0.5", g=gain, n=fan_in)
        return call("nn.init.normal_", target, literal(0.0), std)
    return None


def _fans(shape: Sequence[ast.expr]) -> tuple[ast.expr, ast.expr]:
    if not shape:
        return literal(1), literal(1)
    if len(shape) == 1:
        return shape[0], shape[0]
    fan_out, fan_in = shape[0], shape[1]
    for size in shape[2:]:
        fan_in, fan_out = quote("$a * $b", a=fan_in, b=size), quote("$a * $b", a=fan_out, b=size)
    return fan_in, fan_out
