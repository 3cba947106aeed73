"""Where a block's dimension names stand in its inputs."""

from __future__ import annotations

from dlc.backends.common.evaluate import free_names
from dlc.backends.common.names import dimension_name
from dlc.spec.syntax import Binary, Block, Expr, Input, Name, SizedDimension, StarDimension, State


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


def factor_of(block: Block, dimension: str, present: frozenset[str]) -> tuple[str, int, Expr] | None:
    """The input and axis where a dimension stands in a product, and the other factor: `heads` for D in `heads * D`."""
    for statement in block.body:
        if not isinstance(statement, Input) or statement.name not in present:
            continue
        entries = statement.type.dimensions
        stars = [place for place, entry in enumerate(entries) if isinstance(entry, StarDimension)]
        for place, entry in enumerate(entries):
            if not isinstance(entry, Binary) or entry.op != "*":
                continue
            for one, other in ((entry.left, entry.right), (entry.right, entry.left)):
                if isinstance(one, Name) and one.id == dimension and dimension not in free_names(other):
                    axis = place - len(entries) if stars and place > stars[0] else place
                    return statement.name, axis, other
    return None


def _position(statement: Input | State, dimension: str) -> int | None:
    entries = statement.type.dimensions
    stars = [place for place, entry in enumerate(entries) if isinstance(entry, StarDimension)]
    for place, entry in enumerate(entries):
        named = isinstance(entry, Name) and entry.id == dimension
        sized = isinstance(entry, SizedDimension) and entry.name == dimension
        if named or sized:
            return place - len(entries) if stars and place > stars[0] else place
        if isinstance(entry, StarDimension) and dimension.rstrip("0123456789") == entry.name != dimension:
            return place + int(dimension.removeprefix(entry.name))
    return None


def size_name(block: Block | None, port: str, axis: int) -> str:
    """A variable's name for the size of an input's axis (from the end, if negative): by its dimension."""
    return port_axis_name(block, port, axis) or f"{port}_size"


def port_axis_name(block: Block | None, port: str, axis: int) -> str | None:
    """The same, or None for an axis that no name stands for, or that comes behind any number of others."""
    for statement in block.body if block is not None else ():
        if not isinstance(statement, Input | State) or statement.name != port:
            continue
        entries = statement.type.dimensions
        if not -len(entries) <= axis < len(entries):
            return None
        passed = entries[: axis + 1] if axis >= 0 else entries[axis:]
        entry = entries[axis]
        if any(isinstance(one, StarDimension) for one in passed):
            return None
        word = entry.id if isinstance(entry, Name) else entry.name if isinstance(entry, SizedDimension) else None
        return None if word is None else SIZE_NAMES.get(word) or dimension_name(word)
    return None


#: Sizes of inputs as variables, where constructor arguments are called otherwise.
SIZE_NAMES = {"N": "batch", "B": "batch", "C": "channels", "I": "features", "F": "features"}
