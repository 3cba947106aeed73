"""Names of generated code: one injective allocator per scope.

A `Scope` never gives out a name twice, nor a reserved word, nor a name of the scopes around it. What the spec calls
`input` or `lambda` becomes `input_` or `lambda_`; a second `x` becomes `x_2`.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

#: Words that no generated name may be: Python's keywords, and the builtins that generated code itself uses or that a
#: reader would stumble over.
RESERVED = frozenset(keyword.kwlist) | {"self", "cls", "__class__", "match", "case", "type", "_"}
BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))


class Scope:
    """Names that are taken in one scope (a file, a class, a function).

    `parent` names stay visible and are never shadowed.
    """

    def __init__(self, reserved: Iterable[str] = (), parent: Scope | None = None):
        self.taken: set[str] = set(reserved)
        self.parent = parent

    def is_taken(self, name: str) -> bool:
        if name in self.taken or name in RESERVED or name in BUILTINS:
            return True
        return self.parent is not None and self.parent.is_taken(name)

    def allocate(self, wish: str) -> str:
        """A free name, as close to `wish` as can be; it is taken from now on."""
        base = identifier(wish)
        free = base
        if free in RESERVED or free in BUILTINS:
            free = base = f"{base}_"
        count = 2
        while self.is_taken(free):
            free = f"{base}_{count}" if not base.endswith("_") else f"{base}{count}"
            count += 1
        self.taken.add(free)
        return free

    def child(self, reserved: Iterable[str] = ()) -> Scope:
        return Scope(reserved, self)


def identifier(text: str) -> str:
    """The text as a Python identifier: other characters become underscores."""
    word = re.sub(r"\W", "_", text)
    word = re.sub(r"__+", "_", word).rstrip("_") or "value"
    return f"n{word}" if word[0].isdigit() else word


def camel(name: str) -> str:
    """`conv_bn` -> `ConvBn`; what has capitals keeps them (`LeNet5`)."""
    parts = [part for part in identifier(name).split("_") if part]
    return "".join(part[:1].upper() + part[1:] for part in parts)


def snake(name: str) -> str:
    """`LeNet5` -> `le_net5`, `leakyReLU` -> `leaky_re_lu`."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier(name))
    return re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", text).lower()


#: How a dimension that becomes a constructor argument is called.
DIMENSION_NAMES = {
    "C": "in_channels",
    "F": "in_features",
    "I": "in_features",
    "D": "dim",
    "E": "embed_dim",
    "M": "memory_dim",
    "K": "key_dim",
    "V": "value_dim",
    "H": "height",
    "W": "width",
    "L": "length",
}


def dimension_name(dimension: str) -> str:
    """`C` -> `in_channels`; what the table lacks is its own name in lower case."""
    return DIMENSION_NAMES.get(dimension, snake(dimension))
