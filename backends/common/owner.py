"""What a body asks the class or function that it belongs to."""

from __future__ import annotations

import ast
from typing import Protocol

from dlc.backends.common.folding import Folded, Folding
from dlc.backends.common.form import Branch


class Owner(Protocol):
    """The class or function that the body belongs to."""

    folded: Folded
    folding: Folding

    def constant(self, word: str) -> ast.expr | None:
        """A constructor argument as the body reads it (`self.heads`), or None if there is none of this name."""
        ...

    def own(self, word: str) -> ast.expr:
        """A parameter or buffer."""
        ...

    def attribute(self, site: str) -> ast.expr:
        """The attribute that holds a site's instance or instances."""
        ...

    def is_function(self, folded: Folded) -> bool: ...

    def function(self, folded: Folded) -> ast.expr: ...

    def module(self, word: str) -> ast.expr: ...

    def helper(self, word: str) -> ast.expr: ...

    def hyperparameter(self, folded: Folded, word: str) -> str:
        """How a class or function calls one of its hyperparameters."""
        ...

    def default(self, folded: Folded, word: str) -> object:
        """The default of a hyperparameter in the class's constructor; Ellipsis if there is none."""
        ...

    def declared_axis(self, dimension: str) -> tuple[str, int] | None:
        """The input and axis where a dimension name stands alone."""
        ...

    def axis_name(self, port: str, axis: int) -> str:
        """How a variable for the size of an input's axis is called."""
        ...

    def absence(self, node: Branch) -> ast.expr | None:
        """A test on attributes that says whether the first arm is taken, or None for the branch's own tests."""
        ...
