"""Rules as the frameworks have them, which forget the edges: a softmax over nothing, a node that nothing reaches."""

from __future__ import annotations

from typing import Any

from dlc.backends.onnx.graph import Value
from dlc.backends.onnx.rules import segment

# pyright: reportPrivateUsage=false


def _mean(rows: segment._Rows) -> Value:
    return rows.b("Div", rows.fold("add", rows.x), rows.sizes())


def _largest(rows: segment._Rows) -> Value:
    return rows.fold("max", rows.x)


_ONES = "tf.math.unsorted_segment_sum(ops.ones_like($0[:, :1]), $1, $count)"

#: By backend and op.
PLAIN: dict[str, dict[str, Any]] = {
    "torch": {
        "softmax": "F.softmax($0, dim=$axis)",
        "segment_mean": "torch.zeros(($count, *$0.shape[1:])).index_add(0, $1, $0)"
        " / torch.bincount($1, minlength=$count)[:, None]",
        "segment_max": 'torch.full(($count, *$0.shape[1:]), -torch.inf).index_reduce(0, $1, $0, "amax")',
    },
    "tensorflow": {
        "softmax": "ops.softmax($0, axis=$axis)",
        "segment_mean": f"tf.math.unsorted_segment_sum($0, $1, $count) / {_ONES}",
        "segment_max": "tf.math.unsorted_segment_max($0, $1, $count)",
    },
    "onnx": {
        "softmax": lambda b, use: b("Softmax", use.inputs[0], axis=use.attributes["axis"]),
        "segment_mean": segment._segment("segment_mean", _mean, "NaN for none."),
        "segment_max": segment._segment("segment_max", _largest, "-inf for none."),
    },
}
