"""Losses of the standard library against PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from language_runs import Array, close, normal
from std_twins import F, applied, numpy, tensor

BLOCKS = {
    "ctc_step",
    "ctc_loss",
    "cross_entropy",
    "binary_cross_entropy",
    "l2_loss",
    "l1_loss",
    "huber_loss",
    "hinge_loss",
    "multi_class_hinge_loss",
    "kl_divergence",
    "cosine_loss",
    "contrastive_loss",
    "triplet_loss",
}

LOGITS, OTHER, THIRD = normal(4, 5), normal(4, 5, seed=3), normal(4, 5, seed=4)
LABELS = np.array([3, 0, 2, 0])
LONG, LONG_LABELS = normal(4, 3, 5), np.array([[3, 0, 1], [0, 0, 4], [2, 2, 0], [1, 0, 3]])
SHARES = np.array([[0.5, 0.5, 0, 0, 0], [0.2] * 5, [1.0, 0, 0, 0, 0], [0, 0.25, 0.25, 0.25, 0.25]])
SIGNS = np.array([1.0, -1.0, -1.0, 1.0])
HALVES = (LOGITS > 0).astype(float)

Given = tuple[str, Mapping[str, Array], Callable[..., Any]]
LOSSES: tuple[Given, ...] = (
    ("cross_entropy", {"x": LOGITS, "y": LABELS}, F.cross_entropy),
    ("cross_entropy(0.2)", {"x": LOGITS, "y": LABELS}, lambda x, y: F.cross_entropy(x, y, label_smoothing=0.2)),
    ("cross_entropy(ignored=0)", {"x": LOGITS, "y": LABELS}, lambda x, y: F.cross_entropy(x, y, ignore_index=0)),
    (
        "cross_entropy(0.1, 0)",
        {"x": LONG, "y": LONG_LABELS},
        lambda x, y: F.cross_entropy(x.mT, y, ignore_index=0, label_smoothing=0.1),
    ),
    ("binary_cross_entropy", {"x": 50 * LOGITS, "y": HALVES}, F.binary_cross_entropy_with_logits),
    ("l2_loss", {"x": LOGITS, "y": OTHER}, F.mse_loss),
    ("l1_loss", {"x": LOGITS, "y": OTHER}, F.l1_loss),
    ("huber_loss", {"x": LOGITS, "y": OTHER}, F.huber_loss),
    ("huber_loss(0.4)", {"x": LOGITS, "y": OTHER}, lambda x, y: F.huber_loss(x, y, delta=0.4)),
    ("hinge_loss", {"x": LOGITS, "y": np.sign(OTHER)}, lambda x, y: (1 - x * y).clamp(min=0).mean()),
    ("multi_class_hinge_loss", {"x": LOGITS, "y": LABELS}, F.multi_margin_loss),
    ("multi_class_hinge_loss(0.5)", {"x": LOGITS, "y": LABELS}, lambda x, y: F.multi_margin_loss(x, y, margin=0.5)),
    ("kl_divergence", {"x": LOGITS, "y": SHARES}, lambda x, y: F.kl_div(x, y, reduction="batchmean")),
    ("cosine_loss(0.1)", {"x": LOGITS, "y": OTHER, "t": SIGNS}, lambda *a: F.cosine_embedding_loss(*a, margin=0.1)),
    ("triplet_loss", {"x": LOGITS, "y": OTHER, "z": THIRD}, F.triplet_margin_loss),
    ("triplet_loss(0.3)", {"x": LOGITS, "y": OTHER, "z": THIRD}, lambda *a: F.triplet_margin_loss(*a, margin=0.3)),
)


@pytest.mark.parametrize(("call", "inputs", "twin"), LOSSES, ids=[call for call, _, _ in LOSSES])
def test_loss(tmp_path: Path, call: str, inputs: Mapping[str, Array], twin: Callable[..., Any]) -> None:
    found = applied(tmp_path, f"output loss = {call}({', '.join(inputs)})", inputs)
    expected = numpy(twin(*map(tensor, inputs.values())))
    np.testing.assert_allclose(found["loss"], expected, rtol=1e-10, atol=1e-11)  # the 1e-12 below the roots


def test_all_targets_ignored_is_no_loss(tmp_path: Path) -> None:
    given = {"x": LOGITS, "y": np.zeros(4, dtype=int)}
    close(applied(tmp_path, "output loss = cross_entropy(ignored=0)(x, y)", given)["loss"], 0.0)


def test_binary_cross_entropy_against_a_number(tmp_path: Path) -> None:
    found = applied(tmp_path, "output loss = binary_cross_entropy(x, 1)", {"x": LOGITS})
    close(found["loss"], np.log1p(np.exp(-LOGITS)).mean())


def test_contrastive_by_formula(tmp_path: Path) -> None:
    same = np.array([1.0, 0.0, 0.0, 1.0])
    given = {"x": LOGITS, "y": LOGITS + OTHER / 10, "s": same}
    found = applied(tmp_path, "output loss = contrastive_loss(1.5)(x, y, s)", given)
    d = np.linalg.norm(OTHER / 10, axis=1)
    np.testing.assert_allclose(found["loss"], (same * d**2 + (1 - same) * np.maximum(1.5 - d, 0) ** 2).mean() / 2, 1e-9)


def test_ctc(tmp_path: Path) -> None:
    """Repeated symbols, a target as long as the logits, one that does not fit, an empty one."""
    logits = normal(5, 6, 4, seed=9)
    target = np.array([[1, 2, 3], [1, 1, 2], [3, 3, 3], [2, 1, 1], [1, 2, 3]])
    lengths, targets = np.array([6, 4, 6, 3, 3]), np.array([3, 3, 3, 0, 3])
    given = {"x": logits, "y": target, "n": lengths, "m": targets}
    found = applied(tmp_path, "output loss = ctc_loss(x, y, n, m)", given)
    logs = tensor(logits).log_softmax(-1).transpose(0, 1)
    each = F.ctc_loss(logs, tensor(target), tensor(lengths), tensor(targets), reduction="none")
    close(found["loss"], numpy(each.mean()))


def test_ctc_without_an_alignment_is_infinite(tmp_path: Path) -> None:
    given = {"x": LOGITS[None, :2], "y": np.array([[1, 1]]), "n": np.array([2]), "m": np.array([2])}
    assert applied(tmp_path, "output loss = ctc_loss(x, y, n, m)", given)["loss"] == np.inf


def test_ctc_with_another_blank(tmp_path: Path) -> None:
    logits, target = normal(2, 5, 4, seed=9), np.array([[0, 1], [2, 0]])
    given = {"x": logits, "y": target, "n": np.array([5, 4]), "m": np.array([2, 2])}
    found = applied(tmp_path, "output loss = ctc_loss(blank=3)(x, y, n, m)", given)
    logs = tensor(logits).log_softmax(-1).transpose(0, 1)
    each = F.ctc_loss(logs, tensor(target), tensor(given["n"]), tensor(given["m"]), blank=3, reduction="none")
    close(found["loss"], numpy(each.mean()))
