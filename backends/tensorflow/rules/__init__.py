"""How each op is spelled: one table per family, joined here.

`ops` is `keras.ops`; `tf` where Keras has no exact public form (each such place says why).
"""

from __future__ import annotations

from dlc.backends.common.rule import Rule
from dlc.backends.tensorflow.rules.construction import CONSTRUCTION
from dlc.backends.tensorflow.rules.contraction import CONTRACTION
from dlc.backends.tensorflow.rules.convolution import CONVOLUTION
from dlc.backends.tensorflow.rules.elementwise import ELEMENTWISE
from dlc.backends.tensorflow.rules.indexing import INDEXING
from dlc.backends.tensorflow.rules.reduction import REDUCTION
from dlc.backends.tensorflow.rules.resampling import RESAMPLING
from dlc.backends.tensorflow.rules.shape import SHAPE
from dlc.backends.tensorflow.rules.sorting import SORTING

RULES: dict[str, Rule] = {
    **ELEMENTWISE,
    **CONSTRUCTION,
    **REDUCTION,
    **SHAPE,
    **INDEXING,
    **SORTING,
    **RESAMPLING,
    **CONTRACTION,
    **CONVOLUTION,
}
