"""Keras' own layers in place of standard blocks, each where it means exactly the block."""

from __future__ import annotations

from dlc.backends.common.native import Native

NATIVES: dict[str, Native] = {}
