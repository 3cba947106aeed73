"""What the natives have in common: arguments that are torch's default are left out, conditions look at a module."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dlc.backends.common.native import Arguments, Native
from dlc.backends.common.quote import call, quote
from dlc.backends.common.rule import VARIES
from dlc.ir import Module

Condition = Callable[[Module], bool]


@dataclass(frozen=True, slots=True)
class All:
    """A conjunction of conditions."""

    parts: tuple[Condition, ...]

    def __call__(self, module: Module) -> bool:
        return all(part(module) for part in self.parts)


def option(arguments: Arguments, word: str, default: object) -> ast.expr | None:
    """An argument's code, or None where it is torch's default."""
    value = arguments.values[word]
    same = value is not VARIES and type(value) is type(default) and value == default
    return None if same else arguments.code[word]


def value_of(module: Module, word: str) -> object:
    return dict(module.hyperparameters)[word].value


def rank(module: Module) -> int:
    return module.types[module.inputs[0].value].rank


def always(module: Module) -> bool:
    return True


def of_rank(count: int) -> Condition:
    return lambda module: rank(module) == count


def function(block: str, template: str, fits: Condition = always) -> Native:
    """A block without hyperparameters as an expression over its inputs."""

    def apply(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
        return quote(template, **operands, **a.code)

    return Native(block, fits, (), (), None, apply)


def function_of(
    block: str, target: str, defaults: Mapping[str, tuple[str, object]], fits: Condition = always
) -> Native:
    """A block as a function of its input `x`; `defaults`: torch's keyword and default of each hyperparameter."""

    def apply(operands: Mapping[str, ast.expr], a: Arguments) -> ast.expr:
        keywords = {keyword: option(a, word, default) for word, (keyword, default) in defaults.items()}
        return call(target, operands["x"], **keywords)

    return Native(block, fits, (), tuple(defaults), None, apply)
