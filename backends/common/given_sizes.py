"""Sizes that a call gives (`size` hyperparameters with a dynamic dimension): in code an int beside the tensors.

TensorFlow has a scalar tensor there while it traces, so code that reads such a variable is told apart from a number's.
"""

from __future__ import annotations

import ast

from dlc.ir import ITSELF, Module

_MARK = "is_a_given_size"


def ports(module: Module) -> frozenset[str]:
    """The inputs that are sizes themselves."""
    return frozenset(home.port for home in module.homes if home.axis == ITSELF)


def variable(word: str) -> ast.expr:
    """The variable that holds a given size."""
    node = ast.Name(word, ast.Load())
    setattr(node, _MARK, True)
    return node


def is_variable(node: ast.AST) -> bool:
    return getattr(node, _MARK, False)
