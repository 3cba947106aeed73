"""Shapes: reshape, axes, joining, padding."""

from __future__ import annotations

import ast
from typing import cast

from dlc.backends.common.quote import call, literal, quote
from dlc.backends.common.rule import VARIES, Rules, Site
from dlc.ir import FLOATS, TensorType


def _reshape(site: Site) -> ast.expr:
    flat = _flattened(site)
    if flat is not None:
        start, stop = flat
        end = None if stop == site.types[0].rank - 1 else literal(stop)
        return call("torch.flatten", site.operands[0], literal(start), *([end] if end is not None else []))
    split = _unflattened(site)
    if split is not None:
        start, stop = split
        parts = _entries(site.attribute("shape"))[start : stop + 1]
        widened = _widened(site, start, parts)
        if widened is not None:
            return widened
        derived = [place for place in range(start, stop + 1) if _is_derived(site, place)]
        worked_out = [place for place, code in enumerate(parts, start) if isinstance(code, ast.BinOp)]
        plain = [place for place, code in enumerate(parts, start) if isinstance(code, ast.Constant)]
        chosen = next((places for places in (derived, worked_out, plain) if len(places) == 1), [])
        if len(chosen) == 1:
            parts[chosen[0] - start] = literal(-1)
        if len(parts) == 2 or len(chosen) == 1:
            return _unflatten(site.operands[0], start, parts)
    sizes = _sizes(site) or [ast.Tuple([], ast.Load())]
    return ast.Call(ast.Attribute(site.operands[0], "reshape", ast.Load()), sizes, [])


def _widened(site: Site, start: int, parts: list[ast.expr]) -> ast.expr | None:
    """Axes of size 1 beside the one that there was; None where the axis is split."""
    ones = [place for place, code in enumerate(parts) if isinstance(code, ast.Constant) and code.value == 1]
    if len(ones) != len(parts) - 1:
        return None
    if len(ones) == 1:
        return quote("$0.unsqueeze($axis)", site.operands[0], axis=start + ones[0])
    if site.types[0].rank != 1:
        return None
    sizes: list[ast.expr] = [literal(1 if place in ones else -1) for place in range(len(parts))]
    return ast.Call(ast.Attribute(site.operands[0], "reshape", ast.Load()), sizes, [])


def _unflatten(x: ast.expr, axis: int, parts: list[ast.expr]) -> ast.expr:
    return quote("$x.unflatten($axis, $parts)", x=x, axis=axis, parts=ast.Tuple(parts, ast.Load()))


def _is_derived(site: Site, place: int) -> bool:
    derived = site.derived.get("shape", ())
    return place < len(derived) and derived[place]


def _unflattened(site: Site) -> tuple[int, int] | None:
    """Axes start..stop of the result that were one, in every merged module."""
    return _common([_flattens(after[0], before[0]) for before, after in site.everywhere])


def _sizes(site: Site) -> list[ast.expr]:
    """The shape, with -1 for the one size that is computed, where all others are known and positive."""
    code = _entries(site.attribute("shape"))
    shapes = [after[0].shape for _, after in site.everywhere]
    if any(len(shape) != len(code) for shape in shapes) or any(isinstance(one, ast.Starred) for one in code):
        return code
    open_ = {place for shape in shapes for place, size in enumerate(shape) if not isinstance(size, int)}
    if not open_:
        values = cast("tuple[object, ...]", site.value("shape"))
        open_ = {place for place, value in enumerate(values) if not isinstance(value, int)}
    if len(open_) != 1:
        return code
    place = open_.pop()
    if all(size for shape in shapes for other, size in enumerate(shape) if other != place):
        code[place] = literal(-1)
    return code


def _entries(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.Tuple | ast.List):
        return list(node.elts)
    return [ast.Starred(node, ast.Load())]


def _flattened(site: Site) -> tuple[int, int] | None:
    """Axes start..stop that become one, in every merged module."""
    return _common([_flattens(before[0], after[0]) for before, after in site.everywhere])


def _common(found: list[list[tuple[int, int]]]) -> tuple[int, int] | None:
    """The last reading that serves everywhere: of a size that is 1 here only, the batch stays what it is."""
    return next((one for one in reversed(found[0]) if all(one in other for other in found)), None)


def _flattens(before: TensorType, after: TensorType) -> list[tuple[int, int]]:
    """The axes start..stop that may have become one."""
    from dlc import dims

    count = before.rank - after.rank
    if count < 1 or after.rank == 0:
        return []
    out: list[tuple[int, int]] = []
    for start in range(after.rank):
        stop = start + count
        joined = dims.product(list(before.shape[start : stop + 1]))
        if (*before.shape[:start], joined, *before.shape[stop + 1 :]) == after.shape:
            out.append((start, stop))
    return out


def _expand_dims(site: Site) -> ast.expr:
    axes = site.value("axis")
    node = site.operands[0]
    if isinstance(axes, tuple):
        for axis in sorted(cast("tuple[int, ...]", axes)):
            node = quote("$x.unsqueeze($axis)", x=node, axis=axis)
        return node
    return quote("$0.unsqueeze($axis)", node, axis=site.attribute("axis"))


def _squeeze(site: Site) -> ast.expr:
    return quote("$0.squeeze($axis)", site.operands[0], axis=site.attribute("axis"))


def _transpose(site: Site) -> ast.expr:
    rank = site.types[0].rank
    axes = site.value("axes")
    order = tuple(reversed(range(rank))) if axes is None else cast("tuple[int, ...]", axes)
    if VARIES in order:
        return ast.Call(ast.Attribute(site.operands[0], "permute", ast.Load()), _entries(site.attribute("axes")), [])
    order = tuple(axis % rank for axis in order)
    moved = [axis for axis, place in enumerate(order) if axis != place]
    if rank == 2 and moved:
        return quote("$0.T", site.operands[0])
    if len(moved) == 2:
        return quote("$0.transpose($a, $b)", site.operands[0], a=moved[0], b=moved[1])
    return ast.Call(ast.Attribute(site.operands[0], "permute", ast.Load()), [literal(axis) for axis in order], [])


def _broadcast_to(site: Site) -> ast.expr:
    sizes = _entries(site.attribute("shape"))
    if site.numbers and site.numbers[0] is not None:
        return site.tools.full(site.operands[0], site.numbers[0], sizes, site.results[0])
    if not sizes:  # `expand` wants at least one
        return site.operands[0]
    return ast.Call(ast.Attribute(site.operands[0], "expand", ast.Load()), sizes, [])


def _flip(site: Site) -> ast.expr:
    axis = site.value("axis")
    dims = site.attribute("axis") if isinstance(axis, tuple) else ast.Tuple([site.attribute("axis")], ast.Load())
    return call("torch.flip", site.operands[0], dims=dims)


def _roll(site: Site) -> ast.expr:
    return call("torch.roll", site.operands[0], site.attribute("shift"), dims=site.attribute("axis"))


def _concat(site: Site) -> ast.expr:
    return call("torch.cat", _list(site), dim=site.attribute("axis"))


def _stack(site: Site) -> ast.expr:
    return call("torch.stack", _list(site), dim=site.attribute("axis"))


def _list(site: Site) -> ast.expr:
    """A list of the operands; a list in scope as it is."""
    if len(site.operands) == 1 and isinstance(site.operands[0], ast.Starred):
        return site.operands[0].value
    return ast.List(list(site.operands), ast.Load())


def _split(site: Site) -> ast.expr:
    parts = site.value("parts")
    if isinstance(parts, tuple):
        sizes = ast.List(_entries(site.attribute("parts")), ast.Load())
        return call("torch.split", site.operands[0], sizes, dim=site.attribute("axis"))
    return call("torch.chunk", site.operands[0], site.attribute("parts"), dim=site.attribute("axis"))


def _pad(site: Site) -> ast.expr:
    mode = str(site.value("mode"))
    pairs = _entries(site.attribute("pairs"))
    values = cast("tuple[object, ...]", site.value("pairs"))
    if mode == "constant":
        trimmed = _trimmed(values, pairs)
        sizes = [one for pair in reversed(trimmed) for one in _entries(pair)]
        value = site.value("value")
        given = None if value == 0 else site.attribute("value")
        return call("F.pad", site.operands[0], ast.Tuple(sizes, ast.Load()), value=given)
    if site.types[0].dtype in FLOATS and not site.ranks_vary and _is_of_image(values):
        sizes = [one for pair in reversed(pairs[2:]) for one in _entries(pair)]
        return call("F.pad", site.operands[0], ast.Tuple(sizes, ast.Load()), mode=literal(_PAD_MODES[mode]))
    return _pad_by_index(site, mode, pairs, values)


#: numpy's names and torch's.
_PAD_MODES = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def _is_of_image(values: tuple[object, ...]) -> bool:
    """Whether one to three axes after batch and channels are padded: torch pads no others so."""
    return 3 <= len(values) <= 5 and values[:2] == ((0, 0), (0, 0))


def _trimmed(values: tuple[object, ...], pairs: list[ast.expr]) -> list[ast.expr]:
    """Without leading axes that are not padded."""
    start = 0
    while start < len(pairs) - 1 and values[start] == (0, 0):
        start += 1
    return pairs[start:]


def _pad_by_index(site: Site, mode: str, pairs: list[ast.expr], values: tuple[object, ...]) -> ast.expr:
    """Gathering padded indices axis by axis is right for all ranks and element types."""
    node = site.operands[0]
    for axis, (pair, value) in enumerate(zip(pairs, values, strict=True)):
        if value == (0, 0):
            continue
        low, high = _entries(pair)
        node = ast.Call(site.tools.helper(f"pad_{mode}"), [node, low, high], [ast.keyword("dim", literal(axis))])
    return node


def _tile(site: Site) -> ast.expr:
    sizes = _entries(site.attribute("counts"))
    if not sizes:  # `repeat` wants at least one
        return site.operands[0]
    return ast.Call(ast.Attribute(site.operands[0], "repeat", ast.Load()), sizes, [])


RULES: Rules = {
    "reshape": _reshape,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "flip": _flip,
    "roll": _roll,
    "concat": _concat,
    "stack": _stack,
    "split": _split,
    "unstack": "torch.unbind($0, dim=$axis)",
    "pad": _pad,
    "tile": _tile,
    "repeat": "$0.repeat_interleave($count, dim=$axis)",
    "triangular": lambda site: call(
        "torch.triu" if site.value("upper") else "torch.tril",
        site.operands[0],
        *([] if site.value("diagonal") == 0 else [site.attribute("diagonal")]),
    ),
}
