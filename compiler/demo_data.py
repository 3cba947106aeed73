"""Real inputs for the demo, from what installed packages ship: handwritten digits, two graphs, a poem."""

from __future__ import annotations

import codecs
import contextlib
import io
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

_FIRST, _LAST = 32, 126  # printable ASCII


def digits(count: int) -> Array:
    """float32[count, 1, 28, 28] in -1..1: scikit-learn's 8 x 8 scans, each pixel three wide, a border of two."""
    images = import_module("sklearn.datasets").load_digits().images[:count]
    large = np.kron(images, np.ones((1, 3, 3)))
    padded = np.pad(large, ((0, 0), (2, 2), (2, 2)))
    return (padded / 8.0 - 1.0).astype(np.float32)[:, None]


def noise(count: int, size: int) -> Array:
    """float32[count, size], normal: what a generator starts from."""
    return np.random.default_rng(0).standard_normal((count, size)).astype(np.float32)


def graph(name: str) -> dict[str, Array]:
    """`features` float32[V, V], one-hot, and `edges` int64[2, E], both directions of each, of a networkx graph."""
    networkx: Any = import_module("networkx")
    found = getattr(networkx, f"{name}_graph")()
    numbers = {node: number for number, node in enumerate(found.nodes)}
    pairs = [(numbers[a], numbers[b]) for a, b in found.edges]
    edges = np.array([*pairs, *((b, a) for a, b in pairs)], np.int64).T
    return {"features": np.eye(len(numbers), dtype=np.float32), "edges": np.ascontiguousarray(edges)}


def zen() -> list[str]:
    """The lines of "The Zen of Python", which every Python has in its module `this`."""
    with contextlib.redirect_stdout(io.StringIO()):
        text = codecs.decode(import_module("this").s, "rot13")
    return [line for line in text.splitlines() if line]


def characters(rows: int, length: int) -> Array:
    """int64[rows, length] in 0..96: the poem in rows; the last code stands for a line break."""
    text = "\n".join(zen())
    codes = [ord(c) - _FIRST if _FIRST <= ord(c) <= _LAST else _LAST - _FIRST + 1 for c in text]
    return np.array(codes[: rows * length], np.int64).reshape(rows, length)


def sentence_pairs(rows: int) -> tuple[dict[str, Array], int]:
    """`source` and `target`, int64[rows, T]: each line and the one after it as word numbers; and the word count.

    0 is padding, at the end.
    """
    lines = [line.lower().replace(",", " ,").replace(".", " .").split() for line in zen()]
    numbers = {word: place for place, word in enumerate(dict.fromkeys(w for line in lines for w in line), start=1)}
    coded = [[numbers[word] for word in line] for line in lines]
    return {"source": _padded(coded[:rows]), "target": _padded(coded[1 : rows + 1])}, len(numbers) + 1


def _padded(rows: list[list[int]]) -> Array:
    longest = max(map(len, rows))
    return np.array([row + [0] * (longest - len(row)) for row in rows], np.int64)
