"""`dlc fmt`: comments, blank lines and broken pipes stay; formatting twice changes nothing; the tree stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.diagnostics import DlcError
from dlc.spec.comments import comments_of
from dlc.spec.format import format_source
from dlc.spec.loader import load
from dlc.spec.parser import parse
from dlc.spec.source import Source
from dlc.spec.wrap import WIDTH
from hypothesis import assume, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
SPECS = sorted(
    [*(ROOT / "examples").rglob("*.dl"), *(ROOT / "spec/std").glob("*.dl"), *(ROOT / "tests/user").glob("*.dl")]
)


def formatted(text: str) -> str:
    """The canonical text, with all that must hold of it checked."""
    source = Source("a.dl", text)
    spec = parse(source)
    made = Source("a.dl", format_source(source, spec))
    assert parse(made) == spec
    assert format_source(made, parse(made)) == made.text
    assert sorted(c.text for c in comments_of(made.text)) == sorted(c.text for c in comments_of(source.text))
    return made.text


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_real_specs(path: Path) -> None:
    made = formatted(load(str(path)).text)
    inside = False  # a docstring, which stays as it is
    for line in made.splitlines():
        inside ^= line.count('"""') == 1
        assert inside or '"""' in line or len(line) <= WIDTH, line


BEFORE = '''# head
"""Words."""   # behind

# about the import
import std.linear   # linear
# above
block a(   # open
    units: int,  # how many
    p: float in 0..1 = 0.5):   # end
    """Doc."""
    # first


    input   x: float[N,D]   # in


    y = x -> dense(  units)   # made
        # between
        -> relu  # then
        -> dropout(p)
    if units>3:   # large
        # inside
        y = -y   # turned
        # at the end of the arm
    # before else
    else:   # small
        y = y   # as it is

    for i in range(3):
        y = y+1
    # after the loop
    output y
    # at the end of the block

# between blocks

# below
network  B:
    input x: float[N, 8]
    output [concat([x,x,x,x,x,x,x,x], axis=1), concat([x,x,x,x,x,x,x,x], axis=1), x, x, x ][0]->a(1000000)
    output z=[concat([x,x,x,x,x,x,x,x], axis=1), concat([x,x,x,x,x,x,x,x], axis=1),concat([x,x],axis=1), x]
network C = B   # the same
# at the end
'''

AFTER = '''# head
"""Words."""  # behind

# about the import
import std.linear  # linear

# above
# open
# how many
block a(units: int, p: float in 0..1 = 0.5):  # end
    """Doc."""
    # first

    input x: float[N, D]  # in

    # made
    # between
    # then
    y = x -> dense(units)
        -> relu
        -> dropout(p)
    if units > 3:  # large
        # inside
        y = -y  # turned
        # at the end of the arm
    # before else
    else:  # small
        y = y  # as it is

    for i in range(3):
        y = y + 1
    # after the loop
    output y
    # at the end of the block


# between blocks

# below
network B:
    input x: float[N, 8]
    output [concat([x, x, x, x, x, x, x, x], axis=1), concat([x, x, x, x, x, x, x, x], axis=1), x, x, x][0]
        -> a(1000000)
    output z = [
        concat([x, x, x, x, x, x, x, x], axis=1), concat([x, x, x, x, x, x, x, x], axis=1), concat([x, x], axis=1), x
    ]


network C = B  # the same
# at the end
'''


def test_all_places_of_comments() -> None:
    assert formatted(BEFORE) == AFTER


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(SPECS),
    st.lists(st.tuples(st.integers(0), st.integers(0, 3), st.booleans()), min_size=1, max_size=6),
)
def test_comments_anywhere(path: Path, places: list[tuple[int, int, bool]]) -> None:
    """Comments at ends of lines, and on lines of their own at any depth, where the file stays what it was."""
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, (at, depth, own) in enumerate(places):
        i = at % len(lines)
        if own:
            lines.insert(i, "    " * depth + f"# number {number}")
        else:
            lines[i] += f"  # number {number}"
    text = "\n".join(lines)
    try:
        spec = parse(Source("a.dl", text))
    except DlcError:
        assume(False)
        return
    assume(spec == parse(load(str(path))))  # not in a docstring
    formatted(text)
