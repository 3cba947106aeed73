"""`dlc explain`: a code's page on the terminal."""

from __future__ import annotations

import json

from command_line import dlc


def test_a_page() -> None:
    done = dlc("explain", "e0403")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "E0403: a `rearrange` pattern that does not fit"
    assert '    output rearrange(x, "n (h d) -> n h d", h=5)' in lines
    assert any(line.startswith("How to mend it: ") for line in lines)
    assert "```" not in done.out


def test_the_list() -> None:
    lines = dlc("explain").out.splitlines()
    assert "E0204  a name that two imports offer" in lines
    assert len(lines) > 90
    assert [page["code"] for page in json.loads(dlc("explain", "E0101", "E0204", "--json").out)] == ["E0101", "E0204"]


def test_an_unknown_code() -> None:
    done = dlc("explain", "E0999")
    assert done.code == 2
    assert "there is no code `E0999`" in done.err
