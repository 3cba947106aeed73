"""Tensors out of nothing have nothing to hand back to."""

from __future__ import annotations

from dlc.ops.gradients.api import Gradients

GRADIENTS: Gradients = {
    "constant": None,
    "dimension": None,
    "arange": None,
}
