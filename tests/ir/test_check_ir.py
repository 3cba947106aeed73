"""The checker accepts programs that are right and names what is wrong in others."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.check_ir import IRError, check_program, formal_dimensions
from dlc.ir_text import read

PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.parametrize("name", ["normed", "recurrent"])
def test_right_programs_pass(name: str) -> None:
    check_program(read((PROGRAMS / f"{name}.ir").read_text()))


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("normed", "%7: float[N, 4] = subtract(%0, %5)", "%7: float[N, 4] = subtract(%0, %9)", "before it is defined"),
        (
            "normed",
            "%7: float[N, 4] = subtract",
            "%7: float[N, 5] = subtract",
            r"value 7 is float\[N, 5\], the rule says",
        ),
        ("normed", "%10: float[4] = rsqrt(%9)", "%10: float[4] = rsqrt(%9, %9)", "2 operands"),
        ("normed", "%10: float[4] = rsqrt(%9)", "%10: float[4] = wobble(%9)", "unknown op"),
        ("normed", "mean(%0; axis=[0], keepdims=False)", "mean(%0; axis=[0])", "attributes"),
        ("normed", "  %11: float[N, 4] =", "  unused %11: float[N, 4]\n  %7: float[N, 4] =", "defined twice"),
        ("normed", "call @0 norm#0{N=N}(%0)", "call @9 norm#0{N=N}(%0)", "no instance 9"),
        ("normed", "call @0 norm#0{N=N}(%0)", "call @0 norm#0{}(%0)", "N of norm#0 is not bound"),
        (
            "normed",
            "call @0 norm#0{N=N}(%0)",
            "call @0 norm#0{N=7}(%0)",
            r"input x is float\[N, 4\], not float\[7, 4\]",
        ),
        ("normed", "call @0 norm#0{N=N}(%0)", "call @0 norm#0{N=N}(%0, %0)", "2 inputs, not 1"),
        ("normed", "call @0 norm#0{N=N}(%0)", "call @0 Normed#0{N=N}(%0)", "no module before this one"),
        ("normed", "next buffer %16 running_mean", "next buffer %16 wobble", "no such buffer"),
        (
            "normed",
            "next buffer %16 running_mean",
            "next buffer %13 running_mean",
            r"next running_mean is float\[N, 4\]",
        ),
        ("normed", "param %1 weight: float[6, 4]", "param %1 weight: float[N, 4]", "dynamic shape"),
        ("normed", "entry Normed#0", "entry Wobble#0", "no module of the program"),
        ("normed", "program Normed training", "program Normed inference", "a module for training in a program"),
        ("normed", "head(norm=@0)", "head()", "needs the layer norm"),
        ("normed", "head(norm=@0)", "head(norm=@8)", "norm is no instance"),
        ("normed", "output %5 best", "output %5 output", "two outputs are called output"),
        ("normed", "instance head_2 site", "instance head site", "two instances or parameters are called head"),
        ("recurrent", "next %7 h", "next %7 g", "next states are not the states"),
        ("recurrent", "[x@1 | shift -> both@1] steps T reverse", "[x@1 |  -> both@1] steps T reverse", "inputs"),
        (
            "recurrent",
            "[x@1 | shift -> both@1] steps T reverse",
            "[x@0 | shift -> both@1] steps T reverse",
            r"input x is",
        ),
        (
            "recurrent",
            "[x@1 | shift -> both@1] steps T reverse",
            "[x@1 | shift -> both@1] steps 3 reverse",
            r"input x is",
        ),
        ("recurrent", "shift -> both@1] steps T reverse", "shift -> both@7] steps T reverse", "both has no axis 7"),
        ("recurrent", "shift -> both@1] steps T reverse", "shift -> twice@1] steps T reverse", "stacked"),
        ("recurrent", "shift -> both@1] steps T reverse", "shift -> ] steps T reverse", "2 outputs, not 1"),
        ("recurrent", "%6: float[N, T, 6], %7", "%6: float[N, T, 5], %7", "value 6 is"),
        ("recurrent", "home T = x axis 1: T", "home T = x axis 0: T", "is no home"),
        ("recurrent", "home T = x axis 1: T", "home T = x axis 7: T", "at home in axis 7"),
        ("recurrent", "home T = x axis 1: T", "home T = x itself: T", "is x itself, which is float"),
        ("recurrent", "  home T = x axis 1: T\n", "", "the entry's dimension T has no home"),
        ("recurrent", "bind pair [%8, [%10, none]]", "bind pair [%8, [%30, none]]", "value 30"),
        ("recurrent", "signature x, lengths, shift", "signature x, lengths", "the signature"),
        ("recurrent", "signature x, lengths, shift", "signature lengths, x, shift", "another order"),
    ],
)
def test_wrong_programs_are_told(name: str, old: str, new: str, message: str) -> None:
    text = (PROGRAMS / f"{name}.ir").read_text()
    assert old in text
    with pytest.raises(IRError, match=message):
        check_program(read(text.replace(old, new, 1)))


def test_the_fault_names_module_and_equation() -> None:
    text = (PROGRAMS / "normed.ir").read_text().replace("%10: float[4] = rsqrt(%9)", "%10: int[4] = rsqrt(%9)")
    with pytest.raises(IRError, match=r"norm#0, equation 5 \(rsqrt\)"):
        check_program(read(text))


def test_formal_dimensions_come_from_types_steps_and_attributes() -> None:
    program = read((PROGRAMS / "recurrent.ir").read_text())
    assert formal_dimensions(program.module("Recurrent#0")) == ("N", "T")
    assert formal_dimensions(program.module("noise#0")) == ("N", "D")
