"""Convolutions and pools. After layout assignment data are channels-last; weights are the canonical `[O, I, *K]` unless
the attribute `kernel` says that the parameter is kept as Keras keeps it, `[*K, I, O]`.

What tf.nn does directly is called directly (two spatial axes, no groups, no dilation); everything else goes through a
helper of the generated file, which pads explicitly and convolves without padding:
- a gradient of a grouped or dilated convolution with explicit padding does not exist on CPU ("not supported");
- depthwise_conv2d with strides and dilation together is silently wrong;
- tf.nn.convolution refuses strides with dilation, so every strides-th place is taken afterwards.
"""

from __future__ import annotations

import ast

from dlc.backends.common.quote import literal
from dlc.backends.common.rule import Rule, Site
from dlc.backends.tensorflow.rules.code import data_last, elements, from_last, function, one_for_all, unless


def _kernel(site: Site) -> ast.expr:
    """The weight as `[*K, I, O]`; conv_transpose's `[I, O, *K]` becomes `[*K, O, I]` by the same axes."""
    if site.values.get("kernel") is True:
        return site.operands[1]
    return function("ops.transpose", site.operands[1], literal((*range(2, site.types[1].rank), 1, 0)))


def _spatial(site: Site) -> int:
    return site.types[0].rank - 2


def _is_all(site: Site, attribute: str, value: object) -> bool:
    """Whether every entry of an attribute is `value` in all modules."""
    entries = site.value(attribute)
    return isinstance(entries, tuple) and all(entry == value for entry in entries)


def _unpadded(site: Site) -> bool:
    return _is_all(site, "padding", (0, 0))


def _padding(site: Site) -> ast.expr:
    """`VALID`, or one pair per axis."""
    if _unpadded(site):
        return literal("VALID")
    zero = literal((0, 0))
    return ast.List([zero, *elements(site.attribute("padding")), zero], ast.Load())


def _conv(site: Site) -> ast.expr:
    data, kernel = data_last(site), _kernel(site)
    plain = _is_all(site, "dilation", 1) and site.value("groups") == 1
    if plain and (_spatial(site) == 2 or _unpadded(site)):
        if _spatial(site) == 2:
            strides = one_for_all(site.attribute("stride"))
            return from_last(site, function("tf.nn.conv2d", data, kernel, strides=strides, padding=_padding(site)))
        strides = None if _is_all(site, "stride", 1) else site.attribute("stride")
        return from_last(site, function("tf.nn.convolution", data, kernel, strides=strides, padding=literal("VALID")))
    options = _options(site, stride=1, padding=(0, 0), dilation=1)
    if site.value("groups") != 1:
        options.append(ast.keyword("groups", site.attribute("groups")))
    return from_last(site, ast.Call(site.tools.helper("convolution"), [data, kernel], options))


def _options(site: Site, **defaults: object) -> list[ast.keyword]:
    """Keywords for what is not its default everywhere; a helper takes one entry per spatial axis."""
    return [
        ast.keyword({"stride": "strides", "dilation": "dilations"}.get(name, name), site.attribute(name))
        for name, default in defaults.items()
        if not _is_all(site, name, default)
    ]


def _conv_transpose(site: Site) -> ast.expr:
    options = _options(site, stride=1, padding=(0, 0), output_padding=0, dilation=1)
    if site.value("groups") != 1:
        options.append(ast.keyword("groups", site.attribute("groups")))
    node = ast.Call(site.tools.helper("transposed_convolution"), [data_last(site), _kernel(site)], options)
    return from_last(site, node)


def _max_pool(site: Site) -> ast.expr:
    data, kernel, stride = data_last(site), site.attribute("kernel"), site.attribute("stride")
    if _is_all(site, "dilation", 1) and site.value("ceil_mode") is False and (_spatial(site) == 2 or _unpadded(site)):
        name = f"tf.nn.max_pool{_spatial(site)}d"
        window, strides = _window(site, "kernel"), _window(site, "stride")
        return from_last(site, function(name, data, window, strides, _padding(site)))
    options = _options(site, padding=(0, 0), dilation=1)
    options += _flags(site, ceil_mode=False)
    return from_last(site, ast.Call(site.tools.helper("max_pool"), [data, kernel, stride], options))


def _window(site: Site, attribute: str) -> ast.expr:
    """tf's one-dimensional pools take a number or a list of one."""
    node = one_for_all(site.attribute(attribute))
    return node


def _flags(site: Site, **defaults: object) -> list[ast.keyword]:
    found = [(name, unless(site, name, default)) for name, default in defaults.items()]
    return [ast.keyword(name, node) for name, node in found if node is not None]


def _avg_pool(site: Site) -> ast.expr:
    data, kernel, stride = data_last(site), site.attribute("kernel"), site.attribute("stride")
    if _unpadded(site) and site.value("ceil_mode") is False:
        name = f"tf.nn.avg_pool{_spatial(site)}d"
        window, strides = _window(site, "kernel"), _window(site, "stride")
        return from_last(site, function(name, data, window, strides, literal("VALID")))
    options = _options(site, padding=(0, 0))
    options += _flags(site, ceil_mode=False, include_padding=True)
    return from_last(site, ast.Call(site.tools.helper("avg_pool"), [data, kernel, stride], options))


CONVOLUTION: dict[str, Rule] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
}
