"""Weights by name, whatever they and what holds them are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from keras_models import check_agrees, written

BLOCK = "block unit:\n    input x: float[N, D]\n    param _w: float[D] = 1\n    output x * _w\n\n\n"


@pytest.mark.parametrize("natives", [True, False])
@pytest.mark.parametrize("word", ["_inner", "_layers", "_losses", "_tracker", "__", "_"])
def test_names_that_start_with_an_underscore(word: str, natives: bool, tmp_path: Path) -> None:
    """Also those of Keras' own attributes."""
    text = f"network Net:\n    input x: float[N, 3]\n    {word} = dense(3)\n    x = {word}(x)\n    y = x -> unit\n"
    check_agrees(written(tmp_path, f"{BLOCK}{text}    output y\n"), tmp_path, natives)


def test_a_list_whose_name_starts_with_an_underscore(tmp_path: Path) -> None:
    text = "network Net:\n    input x: float[N, 3]\n    for i in range(2):\n        _y = x -> unit\n        x = _y\n"
    check_agrees(written(tmp_path, f"{BLOCK}{text}    output y = x\n"), tmp_path)
