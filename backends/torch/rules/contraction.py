"""Products, convolutions, pools."""

from __future__ import annotations

import ast
from typing import cast

from dlc.backends.common.quote import call, literal, quote
from dlc.backends.common.rule import Rules, Site


def _matmul(site: Site) -> ast.expr:
    """`x @ W.T` with a transposed weight is as it reads."""
    return quote("$0 @ $1", *site.operands)


def _einsum(site: Site) -> ast.expr:
    return call("torch.einsum", site.attribute("pattern"), *site.operands)


def single(site: Site, name: str, default: object = ...) -> ast.expr | None:
    """A list of equal entries as one number; nothing where the default is written."""
    code = site.attribute(name)
    if isinstance(code, ast.Tuple | ast.List) and len({ast.dump(one) for one in code.elts}) == 1:
        code = code.elts[0]
    return None if isinstance(code, ast.Constant) and code.value == default else code


def _padding(site: Site) -> tuple[ast.expr, ast.expr | None]:
    """The operand and torch's `padding`: pairs that differ on their two sides are padded before."""
    codes = _pairs(site)
    if all(ast.dump(low) == ast.dump(high) for low, high in codes):
        lows = [low for low, _ in codes]
        if all(isinstance(low, ast.Constant) and low.value == 0 for low in lows):
            return site.operands[0], None
        if len({ast.dump(low) for low in lows}) == 1:
            return site.operands[0], lows[0]
        return site.operands[0], ast.Tuple(list(lows), ast.Load())
    sizes = [one for low, high in reversed(codes) for one in (low, high)]
    return call("F.pad", site.operands[0], ast.Tuple(sizes, ast.Load())), None


def _pairs(site: Site) -> list[tuple[ast.expr, ast.expr]]:
    """The code of (low, high) for each spatial axis."""
    rows = [_items(row, 2) for row in _items(site.attribute("padding"), _rank(site))]
    return [(low, high) for low, high in rows]


def _items(code: ast.expr, count: int) -> list[ast.expr]:
    """The entries of a list: themselves where they are spelled out, else by index."""
    if isinstance(code, ast.Tuple | ast.List):
        return list(code.elts)
    return [ast.Subscript(code, ast.Constant(i), ast.Load()) for i in range(count)]


def _rank(site: Site) -> int:
    return site.types[0].rank - 2


def _conv(site: Site) -> ast.expr:
    x, padding = _padding(site)
    return call(
        f"F.conv{_rank(site)}d",
        x,
        site.operands[1],
        stride=single(site, "stride", 1),
        padding=padding,
        dilation=single(site, "dilation", 1),
        groups=single(site, "groups", 1),
    )


def _conv_transpose(site: Site) -> ast.expr:
    """Padding that differs on its two sides crops the result of the unpadded one."""
    codes = _pairs(site)
    equal = all(ast.dump(low) == ast.dump(high) for low, high in codes)
    padding = _padding(site)[1] if equal else None
    node = call(
        f"F.conv_transpose{_rank(site)}d",
        *site.operands,
        stride=single(site, "stride", 1),
        padding=padding,
        output_padding=single(site, "output_padding", 0),
        groups=single(site, "groups", 1),
        dilation=single(site, "dilation", 1),
    )
    if equal:
        return node
    sizes = [quote("-$x", x=one) for low, high in reversed(codes) for one in (low, high)]
    return call("F.pad", node, ast.Tuple(list[ast.expr](sizes), ast.Load()))


def _pool_padding(site: Site, fill: ast.expr) -> tuple[ast.expr, ast.expr | None]:
    """torch refuses padding above half the kernel, and unequal sides: those are padded before."""
    pairs = cast("tuple[object, ...]", site.value("padding"))
    kernel = cast("tuple[object, ...]", site.value("kernel"))
    x, padding = _padding(site)
    small = all(
        not isinstance(pair, tuple) or not isinstance(size, int) or not isinstance(pair[0], int) or pair[0] * 2 <= size  # pyright: ignore[reportUnknownMemberType]
        for pair, size in zip(pairs, kernel, strict=True)
    )
    if x is site.operands[0] and small:
        return x, padding
    sizes = [one for low, high in reversed(_pairs(site)) for one in (low, high)]
    return call("F.pad", site.operands[0], ast.Tuple(sizes, ast.Load()), value=fill), None


def _max_pool(site: Site) -> ast.expr:
    x, padding = _pool_padding(site, quote('float("-inf")'))
    return call(
        f"F.max_pool{_rank(site)}d",
        x,
        cast(ast.expr, single(site, "kernel")),
        stride=_stride(site),
        padding=padding,
        dilation=single(site, "dilation", 1),
        ceil_mode=single(site, "ceil_mode", False),
    )


def _avg_pool(site: Site) -> ast.expr:
    x, padding = _padding(site)
    pairs = cast("tuple[object, ...]", site.value("padding"))
    if x is not site.operands[0] or not _half(pairs, cast("tuple[object, ...]", site.value("kernel"))):
        return _avg_pool_by_hand(site)
    include = single(site, "include_padding", True) if padding is not None else None
    return call(
        f"F.avg_pool{_rank(site)}d",
        x,
        cast(ast.expr, single(site, "kernel")),
        stride=_stride(site),
        padding=padding,
        ceil_mode=single(site, "ceil_mode", False),
        count_include_pad=include,
    )


def _half(pairs: tuple[object, ...], kernel: tuple[object, ...]) -> bool:
    for pair, size in zip(pairs, kernel, strict=True):
        low = cast("tuple[object, ...]", pair)[0] if isinstance(pair, tuple) else 0
        if isinstance(low, int) and isinstance(size, int) and low * 2 > size:
            return False
    return True


def _avg_pool_by_hand(site: Site) -> ast.expr:
    """Padding that torch refuses: sums of windows over counts of what counts."""
    kernel = ast.Tuple([*_entries(site, "kernel")], ast.Load())
    stride = ast.Tuple([*_entries(site, "stride")], ast.Load())
    keywords = [
        ast.keyword("padding", site.attribute("padding")),
        ast.keyword("ceil_mode", site.attribute("ceil_mode")),
        ast.keyword("include_padding", site.attribute("include_padding")),
    ]
    return ast.Call(site.tools.helper("avg_pool"), [site.operands[0], kernel, stride], keywords)


def _entries(site: Site, name: str) -> list[ast.expr]:
    code = site.attribute(name)
    return list(code.elts) if isinstance(code, ast.Tuple | ast.List) else [ast.Starred(code, ast.Load())]


def _stride(site: Site) -> ast.expr | None:
    """torch's stride is the kernel's size by itself."""
    if ast.dump(site.attribute("stride")) == ast.dump(site.attribute("kernel")):
        return None
    return single(site, "stride")


def _diagonal(site: Site) -> ast.expr:
    offset = site.attribute("offset") if site.value("offset") != 0 else None
    return call("torch.diagonal", site.operands[0], offset=offset, dim1=literal(-2), dim2=literal(-1))


RULES: Rules = {
    "diagonal": _diagonal,
    "solve": "torch.linalg.solve($0, $1)",
    "matmul": _matmul,
    "einsum": _einsum,
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
}
