"""What torch leaves open, lacks or means otherwise, as small as it gets: each is why a rule goes another way.

Where one fails, torch has changed, and the rule that it names can be simpler.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

INF = math.inf


def best_of_equals() -> bool:
    """rules/sorting.py: torch.topk takes any of several equals."""
    return torch.topk(torch.ones(100), 3).indices.tolist() != [0, 1, 2]


def nearest_element() -> bool:
    """rules/resampling.py: i * before / after in 32-bit floats falls short of a whole number."""
    found = F.interpolate(torch.arange(38.0).reshape(1, 1, 38), size=38 * 41)
    return found.reshape(-1).long().tolist() != [place // 41 for place in range(38 * 41)]


def ints_to_another_size() -> bool:
    """rules/resampling.py."""
    with pytest.raises(NotImplementedError):
        F.interpolate(torch.ones(1, 1, 3, dtype=torch.int64), size=6)
    return True


def softmax_of_nothing() -> bool:
    """rules/reduction.py: NaN over nothing but -inf."""
    return bool(F.softmax(torch.tensor([-INF, -INF]), 0).isnan().all())


def narrow_places() -> bool:
    """rules/indexing.py: places along an axis have 64 bits."""
    with pytest.raises(RuntimeError, match="Long"):
        torch.take_along_dim(torch.ones(3), torch.tensor([0], dtype=torch.int32), 0)
    return True


def reflected_rows() -> bool:
    """rules/shape.py: no reflection of the first two axes, or of bools."""
    with pytest.raises(NotImplementedError):
        F.pad(torch.ones(3, 3), (0, 0, 1, 1), mode="reflect")
    with pytest.raises(NotImplementedError):
        F.pad(torch.ones(1, 1, 3, dtype=torch.bool), (1, 1), mode="reflect")
    return True


def backward_slices() -> bool:
    """rules/indexing.py."""
    with pytest.raises(ValueError, match="step must be greater than zero"):
        torch.ones(3)[::-1]
    return True


FAULTS: list[Callable[[], bool]] = [
    best_of_equals,
    nearest_element,
    ints_to_another_size,
    softmax_of_nothing,
    narrow_places,
    reflected_rows,
    backward_slices,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_it_is_still_so(fault: Callable[[], bool]) -> None:
    assert fault(), "it may have changed: see the rule that this names"
