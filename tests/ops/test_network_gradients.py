"""Whole networks, differentiated op by op: the slope along a direction of all their weights is what it should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_networks import NETWORKS, Small, differentiated

#: Small, as a step across the kink of a `relu` shows: ResNet18 has a million of them.
STEP = 1e-8
CASES = [
    pytest.param(example, id=name, marks=pytest.mark.slow if name == "ResNet18" else ())
    for name, example in NETWORKS.items()
]


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("example", CASES)
def test_slopes(example: Small, training: bool, tmp_path: Path) -> None:
    found = differentiated(example, training, tmp_path)
    tape = found.tape
    flowing = [(leaf, item) for leaf, item in zip(found.leaves, found.gradients, strict=True) if item is not None]
    results = tape.run(found.arrays, [item for _, item in flowing])
    generator = np.random.default_rng(8)
    directions = {leaf.content: generator.normal(size=leaf.shape) for leaf in found.leaves}
    tape.equations, tape.inputs = tape.equations[: found.forward], tape.inputs[: found.count]
    arrays, cotangents = found.arrays[: found.count], found.arrays[found.count :]

    def total(step: float) -> float:
        pairs = zip(tape.inputs, arrays, strict=True)
        moved = [array + step * directions[number] if number in directions else array for number, array in pairs]
        return sum(float(np.sum(g * y)) for g, y in zip(cotangents, tape.run(moved, found.outputs), strict=True))

    slope = (total(STEP) - total(-STEP)) / (2 * STEP)
    pairs = zip(flowing, results, strict=True)
    expected = sum(float(np.sum(item * directions[leaf.content])) for (leaf, _), item in pairs)
    np.testing.assert_allclose(expected, slope, rtol=1e-4)
