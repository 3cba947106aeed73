"""Weights files that exist already: whether one can stand beside an ONNX model, and one as a source for another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlc.diagnostics import DlcError
from dlc.parameters import NetworkParameter
from dlc.weights import Source, Table, header_of, read, read_header

if TYPE_CHECKING:
    from dlc.weights import Array


def fits(path: str | Path, parameters: Sequence[NetworkParameter]) -> bool:
    """Whether the file is there and holds these parameters at the very offsets that an ONNX model names."""
    try:
        return read_header(path) == header_of(parameters)[1]
    except DlcError:
        return False


def rewritten(path: str | Path) -> Source:
    """The tensors of another weights file, as a source for `dlc.weights.write`; `check` that file first."""
    tensors = read(path)

    def source(parameter: NetworkParameter, table: Table) -> Iterator[Array]:
        yield tensors[parameter.path].reshape(-1)

    return source
