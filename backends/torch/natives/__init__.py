"""torch's own layers for standard blocks. With this table empty everything compiles and agrees all the same."""

from __future__ import annotations

from dlc.backends.common.native import Natives
from dlc.backends.torch.natives.activation import ACTIVATIONS
from dlc.backends.torch.natives.attention import ATTENTION
from dlc.backends.torch.natives.convolution import CONVOLUTIONS
from dlc.backends.torch.natives.linear import LINEAR
from dlc.backends.torch.natives.losses import LOSSES
from dlc.backends.torch.natives.normalisation import NORMS
from dlc.backends.torch.natives.pooling import POOLS

_ALL = (*LINEAR, *CONVOLUTIONS, *POOLS, *ACTIVATIONS, *ATTENTION, *LOSSES)
NATIVES: Natives = {**{native.block: native for native in _ALL}, **NORMS}

__all__ = ["NATIVES"]
