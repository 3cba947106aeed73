"""Where a block's dimension names stand in its inputs."""

from __future__ import annotations

from dlc.backends.common.names import dimension_name
from dlc.spec.syntax import Block, Input, Name, SizedDimension, StarDimension, State


def axis_of(block: Block, dimension: str, present: frozenset[str]) -> tuple[str, int] | None:
    """The input (or state) and the axis where a dimension stands alone; behind a `*B` axes count from the end."""
    for kind in (Input, State):
        for statement in block.body:
            if not isinstance(statement, kind) or statement.name not in present:
                continue
            axis = _position(statement, dimension)
            if axis is not None:
                return statement.name, axis
    return None


def _position(statement: Input | State, dimension: str) -> int | None:
    entries = statement.type.dimensions
    stars = [place for place, entry in enumerate(entries) if isinstance(entry, StarDimension)]
    for place, entry in enumerate(entries):
        named = isinstance(entry, Name) and entry.id == dimension
        sized = isinstance(entry, SizedDimension) and entry.name == dimension
        if named or sized:
            return place - len(entries) if stars and place > stars[0] else place
    return None


def size_name(block: Block | None, port: str, axis: int) -> str:
    """A variable's name for the size of an input's axis (from the end, if negative): by its dimension."""
    for statement in block.body if block is not None else ():
        if isinstance(statement, Input | State) and statement.name == port:
            entries = statement.type.dimensions
            entry = entries[axis] if -len(entries) <= axis < len(entries) else None
            if isinstance(entry, Name):
                return SIZE_NAMES.get(entry.id) or dimension_name(entry.id)
            if isinstance(entry, SizedDimension):
                return SIZE_NAMES.get(entry.name) or dimension_name(entry.name)
    return f"{port}_size"


#: Sizes of inputs as variables, where constructor arguments are called otherwise.
SIZE_NAMES = {"N": "batch", "B": "batch", "C": "channels", "I": "features", "F": "features"}
