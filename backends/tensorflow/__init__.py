"""Keras 3 on TensorFlow."""

from __future__ import annotations

from dlc.backends.tensorflow.compile import TensorFlowBackend

backend = TensorFlowBackend()
