"""Diagnostics as text and as JSON."""

from __future__ import annotations

import json
import re

from dlc.diagnostics import Diagnostic, Note
from dlc.render import MAX_WIDTH, render, to_json
from dlc.spec.source import Source, Span

SOURCE = Source("a.dl", "network A:\n    output x +\n\ty\n" + "z" * 1000 + " w\n名前 = x\n")
SOURCES = {"a.dl": SOURCE}


def shown(span: Span | None, **parts: str) -> list[str]:
    return render(Diagnostic("E0101", "wrong", span, **parts), SOURCES).splitlines()


def test_all_parts() -> None:
    notes = (Note("here", Span("a.dl", 1, 9, 1, 10)), Note("and nowhere"))
    d = Diagnostic("W0901", "odd", Span("a.dl", 2, 12, 2, 13), "this", "that", "do", notes)
    assert render(d, SOURCES) == (
        "warning[W0901]: odd\n"
        "  --> a.dl:2:12\n"
        "  |\n"
        "2 |     output x +\n"
        "  |            ^\n"
        "  found: this\n"
        "  expected: that\n"
        "  hint: do\n"
        "  note: here\n"
        "  --> a.dl:1:9\n"
        "  |\n"
        "1 | network A:\n"
        "  |         -\n"
        "  note: and nowhere\n"
    )


def test_a_stretch_over_lines_is_underlined_to_the_end_of_its_first() -> None:
    assert shown(Span("a.dl", 2, 12, 3, 3))[-1] == "  |            ^^^"


def test_a_tab_takes_four_columns() -> None:
    assert shown(Span("a.dl", 3, 2, 3, 3))[-2:] == ["3 |     y", "  |     ^"]


def test_wide_characters_take_two_columns() -> None:
    assert shown(Span("a.dl", 5, 6, 5, 7))[-2:] == ["5 | 名前 = x", "  |        ^"]


def test_a_long_line_is_cut_around_the_mark() -> None:
    line, mark = shown(Span("a.dl", 4, 1002, 4, 1003))[-2:]
    assert len(line) < MAX_WIDTH + 12
    assert line[mark.index("^")] == "w"
    start = shown(Span("a.dl", 4, 1, 4, 900))
    assert start[-1].endswith("^" * MAX_WIDTH)


def test_a_narrow_terminal() -> None:
    text = "a hint that is much longer than the terminal is wide, and goes on below its own first word"
    d = Diagnostic("E0101", "what is wrong takes " + "many " * 12, Span("a.dl", 4, 1002, 4, 1003), hint=text)
    lines = render(d, SOURCES, columns=50).splitlines()
    assert all(len(line) <= 50 for line in lines), lines
    at = next(i for i, line in enumerate(lines) if line.startswith("  hint: "))
    assert lines[at + 1].startswith("        ")
    joined = " ".join(line.strip() for line in lines[at:])
    assert joined == f"hint: {text}"
    mark = next(i for i, line in enumerate(lines) if line.endswith("^"))
    assert lines[mark - 1][lines[mark].index("^")] == "w"
    plain = re.sub(r"\x1b\[[\d;]*m", "", render(d, SOURCES, color=True, columns=50))
    assert plain.splitlines() == lines


def test_no_span_an_unknown_file_or_a_line_beyond_the_end() -> None:
    assert shown(None) == ["error[E0101]: wrong"]
    assert shown(Span("b.dl", 2, 1, 2, 2)) == ["error[E0101]: wrong", "  --> b.dl:2:1"]
    assert shown(Span("a.dl", 99, 1, 99, 2)) == ["error[E0101]: wrong", "   --> a.dl:99:1"]


def test_colour_changes_nothing_but_colour() -> None:
    d = Diagnostic(
        "E0101", "wrong", Span("a.dl", 2, 12, 2, 13), hint="do", notes=(Note("n", Span("a.dl", 1, 1, 1, 2)),)
    )
    colored = render(d, SOURCES, color=True)
    assert "\x1b[1;31m" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == render(d, SOURCES)


def test_control_characters_do_not_reach_the_terminal() -> None:
    source = Source("c.dl", "x\x1b[31m = 1")
    text = render(Diagnostic("E0103", "bad \x1b[2J", Span("c.dl", 1, 2, 1, 3)), {"c.dl": source})
    assert "\x1b" not in text


def test_json() -> None:
    d = Diagnostic("E0101", "wrong", Span("a.dl", 2, 12, 2, 13), "f", None, "h", (Note("n"),))
    assert json.loads(json.dumps(to_json(d))) == {
        "code": "E0101",
        "severity": "error",
        "message": "wrong",
        "span": {"file": "a.dl", "line": 2, "column": 12, "end_line": 2, "end_column": 13},
        "found": "f",
        "expected": None,
        "hint": "h",
        "notes": [{"message": "n", "span": None}],
    }
