"""Blocks as people write them: each verified on torch, and its code looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from agreement import require_agreement, written

#: What the code must have, and what it must not have.
CASES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "lists in loops in loops": (
        """
network Case(depths: list[int] = [2, 3, 1], width: int = 4):
    input x: float[N, 6]
    outs = []
    for i, depth in enumerate(depths):
        inner = []
        for j in range(depth):
            x = x -> dense(width * (i + 1)) -> relu
            if j % 2 == 1:
                x = x -> layer_norm
            inner = inner + [x]
        outs = outs + [concat(inner, axis=-1) -> dense(5)]
    output y = sum(stack(outs, axis=0), axis=0)
""",
        ("torch.stack(outs, dim=0)", "inner.append(x)"),
        ("depths", "[*outs"),  # the loops stand turn by turn: the class is for these depths
    ),
    "features, a path back, heads": (
        """
network Case(widths: list[int] = [8, 12, 16], lateral: int = 4):
    input x: float[N, 6]
    features = []
    for width in widths:
        x = x -> dense(width) -> relu
        features = features + [x]
    laterals = [f -> dense(lateral) for f in features]
    tops = [laterals[-1]]
    for f in reversed(laterals[:-1]):
        tops = tops + [f + (tops[-1] -> dense(lateral))]
    heads = [t -> dense(2) for t in tops]
    output y = concat(heads, axis=-1)
""",
        ("reversed(laterals[:-1])", "nn.Linear(lateral, 2) for _ in range(3)"),
        ("widths",),
    ),
    "as many parts as the turn says": (
        """
network Case(depths: list[int] = [2, 3], width: int = 4):
    input x: float[N, 6]
    for i, depth in enumerate(depths):
        for j in range(depth):
            x = x -> dense(width * (i + 1)) -> relu
        outs = [x -> dense(3) for _ in range(depth)]
        y = concat(outs, axis=-1) -> dense(2)
    output y
""",
        (
            "self.y.append(nn.Linear(3 * depth, 2))",
            "for denses, denses_2, dense_3 in zip(self.dense, self.outs, self.y):",
        ),
        (),
    ),
    "lists made in each turn": (
        """
network Fixed:
    input x: float[N, 4]
    z = x
    for i in range(2):
        ws = [dense(4) for _ in range(2)]
        z = z -> ws[0] -> ws[1]
    output z

network Growing(n: int = 3):
    input x: float[N, 4]
    z = x
    for i in range(n):
        ws = [dense(4) for _ in range(i + 1)]
        for w in ws:
            z = z -> w -> relu
    output z
""",
        (),
        (),
    ),
    "a filter": (
        """
network Case(sizes: list[int] = [3, 0, 5, 4]):
    input x: float[N, 6]
    y = x -> dense(6)
    for i in [i for i in range(6) if i % 2 == 0]:
        y = y -> dense(i + 2) -> tanh
    output concat([x -> dense(size) for size in sizes if size > 0] + [y], axis=-1)
""",
        ("for i in [i for i in range(6) if i % 2 == 0]:",),
        ("sizes",),
    ),
    "shared layers": (
        """
block twice(f: layer, scale: float = 1.0):
    input x: float[N, D]
    output f(relu(f(x))) * scale

network Case(depth: int = 3):
    input x: float[N, 5]
    shared = dense(5)
    for i in range(depth):
        x = x -> twice(shared, scale=0.5)
    output x
""",
        ("for _ in range(self.depth):\n            x = twice(x, self.shared, scale=0.5)",),
        (),
    ),
    "layers made before a choice": (
        """
block part(first: bool = false):
    input x: float[N, D]
    input m: float[N, D] = none
    a = dense(D)
    b = layer_norm()
    if first:
        y = b(x)
        x = x + a(y if m is none else y * m)
    else:
        x = b(x + a(x))
    output y = x

network Case:
    input x: float[N, 5]
    z = x -> part
    output part(true)(z, m=x)
""",
        (
            "        if self.first:\n            y = self.b(x)\n",
            "        else:\n            x = self.b(x + self.a(x))\n        y = x\n        return y",
        ),
        (),
    ),
    "kinds by turn": (
        """
block mixer(kind: str, width: int):
    input x: float[N, T, D]
    if kind == "conv":
        y = x -> dense(width) -> gelu
    elif kind == "gate":
        y = (x -> dense(width)) * sigmoid(x -> dense(width))
    else:
        y = x -> layer_norm -> dense(width)
    output y

network Case(kinds: list[str] = ["conv", "gate", "norm", "gate"], width: int = 6):
    input x: float[N, T, 4]
    for i, kind in enumerate(kinds):
        y = x -> mixer(kind, width)
        x = y if i == 0 else x + y
    output x
""",
        ("if i == 0:\n                x = y\n            else:\n                x = x + y", 'elif kind == "gate":'),
        (),
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_agrees(what: str, tmp_path: Path):
    text, wanted, unwanted = CASES[what]
    code = require_agreement(written(tmp_path, text), tmp_path)
    for line in wanted:
        assert line in code
    for line in unwanted:
        assert line not in code
