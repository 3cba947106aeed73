"""The text form of programs reads back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dlc.dims import add, floor_divide, multiply, negative, symbol
from dlc.ir import BlockId, LayerRef, Module, Origin, Program, Static, Template, TensorType
from dlc.ir_line import IRTextError
from dlc.ir_text import read, show
from dlc.spec.source import Span
from hypothesis import given
from hypothesis import strategies as st

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.ir"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_text_is_what_is_printed(path: Path) -> None:
    text = path.read_text()
    program = read(text)
    assert show(program) == text
    assert read(show(program)) == program


def test_provenance_has_no_part_in_equality() -> None:
    program = read(PROGRAMS[0].read_text())
    module = program.modules[0]
    moved = tuple(replace(e, origin=Origin(Span("net.dl", 3, 1, 3, 9), 2)) for e in module.body)
    marked = replace(program, modules=(replace(module, body=moved), *program.modules[1:]))
    assert read(show(marked)) == program


def test_meaning_has() -> None:
    program = read(PROGRAMS[0].read_text())
    text = show(program)
    assert read(text.replace("keepdims=False", "keepdims=True", 1)) != program


symbols = st.sampled_from(["N", "T", "heads_2", "F"]).map(symbol)
sizes = st.recursive(
    st.integers(-9, 9) | symbols,
    lambda inner: (
        st.builds(add, inner, inner)
        | st.builds(multiply, inner, inner)
        | st.builds(negative, inner)
        | st.builds(floor_divide, inner, st.integers(1, 7) | symbols)
    ),
    max_leaves=6,
)
texts = st.text(max_size=8)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True) | texts
floats = st.floats(allow_nan=False)
atoms = st.integers() | floats | st.booleans() | st.none() | texts | sizes | st.builds(LayerRef, st.integers(0, 5))
blocks = st.builds(BlockId, texts, names)
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.builds(Template, blocks, st.lists(st.tuples(names, inner.map(Static)), max_size=2).map(tuple))
    ),
    max_leaves=5,
)
types = st.builds(TensorType, st.sampled_from(["float", "i32"]), st.lists(sizes, max_size=3).map(tuple))


@given(names, blocks, st.none() | texts, st.lists(st.tuples(names, values), max_size=4), st.lists(types, max_size=3))
def test_any_constant_reads_back(key, block, doc, pairs, shapes) -> None:
    hyperparameters = tuple((name, Static(value)) for name, value in pairs)
    empty = ((),) * 4
    module = Module(
        key, block, doc, hyperparameters, (), (), False, *empty, (), (), tuple(shapes), (), (), (), ()
    )  # fmt: skip
    program = Program(key, (module,), key, False, hyperparameters)
    again = read(show(program))
    assert again == program
    assert repr(again) == repr(program)  # 1, 1.0 and True are equal, and not the same


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("  %1: float[N = relu(%0)", "found =, expected ,"),
        ("  %1: float[N] = relu(%0", "found the end of the line, expected ,"),
        ("  wobble %1", "found %, expected a line of a module"),
        ("  input %0 x float[N]", "found float, expected :"),
        ("  %1: float[N] = relu(%0) ^", "cannot read"),
        ("  input %0 x: float[N] y", "expected the end of the line"),
    ],
)
def test_bad_text_is_told_by_line(line: str, message: str) -> None:
    text = f'program A inference entry A#0\nmodule A#0 = "a.dl":A values 2\n{line}\n'
    with pytest.raises(IRTextError, match="line 3") as caught:
        read(text)
    assert message in str(caught.value)


def test_a_value_without_a_type_is_told() -> None:
    with pytest.raises(IRTextError, match="2 values"):
        read('program A inference entry A#0\nmodule A#0 = "a.dl":A values 2\n  input %0 x: float[N]\n')
