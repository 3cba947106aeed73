"""The other mode: batch statistics, running statistics, and draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from language_runs import close, normal, run

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5), (3, 4, 5, 2)])
@pytest.mark.parametrize("momentum", [0.1, 0.3])
def test_batch_norm_keeps_torchs_statistics(tmp_path: Path, shape: tuple[int, ...], momentum: float) -> None:
    """Normalised by the biased variance, the unbiased one is kept."""
    x = normal(*shape) * 3 + 1
    sizes = ", ".join(map(str, shape))
    text = f"network A:\n    input x: float[{sizes}]\n    output y = batch_norm(momentum={momentum})(x)\n"
    found = run(tmp_path, text, {"x": x}, training=True)
    make = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}[len(shape)]
    twin = make(4, momentum=momentum).double()
    state = {path.rpartition(".")[2]: torch.from_numpy(array.copy()) for path, array in found.weights.items()}
    assert set(state) == {"weight", "bias", "running_mean", "running_var"}
    twin.load_state_dict(state, strict=False)
    close(found["y"], twin(torch.from_numpy(x)).detach().numpy())
    (prefix,) = {path.rpartition(".")[0] for path in found.weights}
    close(found[f"buffer {prefix}.running_mean"], twin.running_mean.numpy())
    close(found[f"buffer {prefix}.running_var"], twin.running_var.numpy())


def test_dropout_keeps_where_its_draw_reaches_p(tmp_path: Path) -> None:
    text = "network A:\n    input x: float[N, 4]\n    output y = x -> dropout(0.25)\n"
    x, u = normal(3, 4), np.array([[0, 0.2, 0.25, 0.9]] * 3)
    found = run(tmp_path, text, {"x": x, "dropout_u": u}, training=True)
    close(found["y"], np.where([False, False, True, True], x / 0.75, 0))
    close(run(tmp_path, text, {"x": x}).output, x)


def test_each_place_and_each_step_draws_by_itself(tmp_path: Path) -> None:
    text = """
block noisy_cell:
    input x: float[N, D]
    state h: float[N, D] = 0
    sample e: float[N, D] ~ normal(0, 1)
    next h = h + x * e
    output next h

network A:
    input x: float[N, T, 2]
    sample e: float[N, T, 2] ~ normal(0, 1)
    first = x + e
    output y = first -> scan(noisy_cell)
"""
    x, outer, inner = normal(3, 5, 2), normal(3, 5, 2, seed=3), normal(3, 5, 2, seed=4)
    given = {"x": x, "e": outer, "noisy_cell_e": inner}
    for training in (False, True):
        found = run(tmp_path, text, given, training=training)
        close(found["y"], np.cumsum((x + outer) * inner, axis=1))
