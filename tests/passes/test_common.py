"""What a block's text computes twice is computed once: as text, in meaning, on every backend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from dlc.backends.api import Options
from dlc.backends.reference.interpreter import Interpreter
from dlc.backends.torch.compile import compile_unit
from dlc.check_ir import check_program
from dlc.ir import Program
from dlc.ir_text import show_module
from dlc.networks import elaborate
from dlc.passes.common import share_common
from dlc.passes.resolve import load_project
from dlc.verify.inputs import choose_sizes, make_inputs

HERE = Path(__file__).parent / "common"
UNIT = elaborate(load_project(HERE / "twice.dl")).unit
BEFORE = (UNIT.networks[0].inference, UNIT.networks[0].training)
AFTER = share_common(BEFORE)


def test_text(check_golden: Callable[[Path, str], None]) -> None:
    lines: list[str] = []
    for word, program in (("before", BEFORE[0]), ("after", AFTER[0])):
        module = next(module for module in program.modules if module.block.name == "turned")
        lines += [word, *(line for line in show_module(module) if not line.startswith("  doc"))]
    check_golden(HERE / "turned.ir", "\n".join(lines) + "\n")


def test_what_is_shared() -> None:
    """Two of `turned`, the exponential of `arms`; nothing of `modes`."""
    for before, after in zip(BEFORE, AFTER, strict=True):
        gone = _ops(before) - _ops(after)
        assert gone == {("turned", "cos"): 1, ("turned", "sin"): 1, ("arms", "exp"): 2}


def _ops(program: Program) -> Counter[tuple[str, str]]:
    return Counter((module.block.name, one.op) for module in program.modules for one in module.body)


def test_means_the_same() -> None:
    for before, after in zip(BEFORE, AFTER, strict=True):
        check_program(after)
        one, other = (_results(program) for program in (before, after))
        np.testing.assert_array_equal(one, other)


def _results(program: Program) -> Any:
    (value,) = Interpreter(program, {}).run(make_inputs(program, choose_sizes(program, 0), 0, ())).values()
    return value


def test_code_names_what_is_shared() -> None:
    (text,) = compile_unit(UNIT, Options()).files.values()
    assert "    cos = torch.cos(t)\n    sin = torch.sin(t)\n" in str(text)
