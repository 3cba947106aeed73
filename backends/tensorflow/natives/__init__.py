"""Keras' own layers in place of standard blocks, each where it means exactly the block, its initial values included.

What Keras starts or pads otherwise is a small subclass in `layers.py`. Not here: recurrent layers (`scan` runs cells).
"""

from __future__ import annotations

from dlc.backends.common.native import Native
from dlc.backends.tensorflow.natives.activation import ACTIVATIONS
from dlc.backends.tensorflow.natives.convolution import CONVOLUTIONS
from dlc.backends.tensorflow.natives.dense import DENSE
from dlc.backends.tensorflow.natives.normalisation import NORMALISATIONS
from dlc.backends.tensorflow.natives.parts import ALWAYS, All, KerasNative
from dlc.backends.tensorflow.natives.pooling import GLOBAL, PADDED, POOLS

#: By block, or by block and what it is for where there are several of one.
NATIVES: dict[str, Native] = {
    **{native.block: native for native in (*DENSE, *CONVOLUTIONS, *NORMALISATIONS, *POOLS, *ACTIVATIONS)},
    **GLOBAL,
    "max_pool2d_padded": PADDED,
}

__all__ = ["ALWAYS", "NATIVES", "All", "KerasNative"]
