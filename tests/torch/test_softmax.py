"""The helper for a softmax over nothing but -inf is left out exactly where the operand provably holds no -inf."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
import torch
from dlc.backends.api import Options
from dlc.backends.common.facts import Facts
from dlc.backends.torch import backend
from torch_models import imported, unit_of, write

FRAME = (
    "network Net:\n    input x: float[N, 4]\n    input m: bool[N, 4]\n"
    "{lines}\n    output y = softmax({value}, axis=-1)\n"
)
KNOWN = [
    "tanh(x)",
    "relu(x)",
    "exp(x)",
    "clip(x, -5, 5)",
    "maximum(x, 0)",
    "float(m)",
    "transpose(abs(x))",
    "where(m, tanh(x), 0)",
]
KNOWN += ["concat([tanh(x), sigmoid(x)], axis=1)", "tanh(x)[:, 1:]", "h"]
UNKNOWN = [
    "x",
    "x + 1",
    "-relu(x)",
    "log(relu(x))",
    "where(m, tanh(x), -inf)",
    "where(m, x, 0)",
    "maximum(x, -inf)",
    "x @ transpose(x)",
]
UNKNOWN += ["minimum(tanh(x), x)", "concat([tanh(x), x], axis=1)", "rsqrt(relu(x))", "g"]
LINES = "    h = tanh(x)\n    g = relu(x)\n    g = x"
HOLDS = torch.tensor(
    [[-torch.inf] * 4, [torch.inf] * 4, [-0.0] * 4, [torch.nan] * 4, [-torch.inf, 1, 2, 3], [-3e38, 3e38, 0, 1]]
)


def network(value: str, folder: Path) -> tuple[torch.nn.Module, str]:
    (path,) = write(backend.compile(unit_of(folder, FRAME.format(lines=LINES, value=value)), Options()).files, folder)
    return imported(path).Net(), path.read_text(encoding="utf-8")


@pytest.mark.parametrize("value", KNOWN)
def test_no_helper_where_it_is_known(value: str, tmp_path: Path):
    """And the numbers are the helper's, whatever the input holds."""
    masks = torch.tensor([[True, False, True, False]]).expand(6, 4)
    net, text = network(value, tmp_path)
    assert "def softmax" not in text
    with mock.patch.object(Facts, "above", return_value=False):
        other, text = network(value, tmp_path)
    assert "def softmax" in text
    torch.testing.assert_close(net(HOLDS, masks), other(HOLDS, masks), equal_nan=True, rtol=0, atol=0)


@pytest.mark.parametrize("value", UNKNOWN)
def test_helper_where_it_is_not(value: str, tmp_path: Path):
    assert "def softmax" in network(value, tmp_path)[1]
