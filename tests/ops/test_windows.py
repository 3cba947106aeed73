"""Sizes of convolutions and pools against torch, for many windows, and the same sizes with a symbolic axis."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as functional
from dlc.dims import evaluate, symbol
from dlc.ir import TensorType
from dlc.ops import OPS, normalise_attributes
from dlc.ops.api import OpError
from hypothesis import given, settings
from hypothesis import strategies as st

torch.set_num_threads(1)


def size_of(name: str, size: Any, weight: tuple[int, ...] | None, given: dict[str, Any]) -> Any:
    types = [TensorType("float", (2, 4, size))]
    if weight is not None:
        types.append(TensorType("float", weight))
    return OPS[name].infer(types, normalise_attributes(OPS[name], given, types))[0].shape[2]


def torch_size(function: Any, *arguments: Any, **options: Any) -> int | None:
    """The size that torch finds, None where it refuses or finds 0 (which the language refuses)."""
    try:
        return function(*arguments, **options).shape[2] or None
    except RuntimeError:
        return None


def require_same(
    name: str, size: int, weight: tuple[int, ...] | None, given: dict[str, Any], theirs: int | None
) -> None:
    if theirs is None:
        with pytest.raises(OpError):
            size_of(name, size, weight, given)
        return
    assert size_of(name, size, weight, given) == theirs
    assert evaluate(size_of(name, symbol("T"), weight, given), {"T": size}) == theirs


@settings(max_examples=300, deadline=None)
@given(
    size=st.integers(1, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 6),
    dilation=st.integers(1, 3),
    ceil_mode=st.booleans(),
    data=st.data(),
)
def test_pools(size: int, kernel: int, stride: int, dilation: int, ceil_mode: bool, data: st.DataObject) -> None:
    padding = data.draw(st.integers(0, kernel // 2))
    x = torch.zeros(2, 4, size)
    options: dict[str, Any] = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    theirs = torch_size(functional.max_pool1d, x, kernel, dilation=dilation, **options)
    require_same("max_pool", size, None, {"kernel": kernel, "dilation": dilation, **options}, theirs)
    theirs = torch_size(functional.avg_pool1d, x, kernel, **options)
    require_same("avg_pool", size, None, {"kernel": kernel, **options}, theirs)


@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(1, 9),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    padding=st.integers(0, 3),
    extra=st.integers(0, 3),
)
def test_convolutions(size: int, kernel: int, stride: int, dilation: int, padding: int, extra: int) -> None:
    x = torch.zeros(2, 4, size)
    options: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    theirs = torch_size(functional.conv1d, x, torch.zeros(6, 4, kernel), **options)
    require_same("conv", size, (6, 4, kernel), options, theirs)
    options["output_padding"] = extra % stride  # torch takes more where the dilation is larger
    theirs = torch_size(functional.conv_transpose1d, x, torch.zeros(4, 6, kernel), **options)
    require_same("conv_transpose", size, (4, 6, kernel), options, theirs)


@settings(max_examples=150, deadline=None)
@given(
    size=st.integers(1, 9),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    ceil_mode=st.booleans(),
    include=st.booleans(),
    data=st.data(),
)
def test_average_pools_divide_as_torch(
    size: int, kernel: int, stride: int, ceil_mode: bool, include: bool, data: st.DataObject
) -> None:
    padding = data.draw(st.integers(0, kernel // 2))
    x = torch.arange(1.0, 1.0 + 3 * size, dtype=torch.float64).reshape(1, 3, size)
    try:
        theirs = functional.avg_pool1d(x, kernel, stride, padding, ceil_mode, include)
    except RuntimeError:
        return
    given_: dict[str, Any] = {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "ceil_mode": ceil_mode,
        "include_padding": include,
    }
    types = [TensorType("float", tuple(x.shape))]
    ours = OPS["avg_pool"].evaluate([x.numpy()], normalise_attributes(OPS["avg_pool"], given_, types))[0]
    torch.testing.assert_close(torch.from_numpy(ours), theirs, rtol=1e-13, atol=0)
