"""Every sample parses, prints, reads back the same, and carries spans that lead back to its text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dlc.spec import splitter
from dlc.spec import syntax as s
from dlc.spec.loader import load
from dlc.spec.parser import parse, parse_chunk, parse_expression
from dlc.spec.printer import print_expression, print_spec
from dlc.spec.record import names_of
from dlc.spec.source import Source, Span

from .samples import SAMPLES, name

each_sample = pytest.mark.parametrize("path", SAMPLES, ids=name)
EXPRESSIONS = s.Expr.__args__


def nodes(value: Any) -> Iterator[Any]:
    """All nodes in and below a node or tuple of nodes."""
    stack = [value]
    while stack:
        value = stack.pop()
        if isinstance(value, tuple):
            stack.extend(value)
        elif names_of(value) and not isinstance(value, Span):
            yield value
            stack.extend(getattr(value, field) for field in names_of(value))


def written(source: Source, span: Span) -> str:
    lines = [source.line(n) for n in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 10


@each_sample
def test_prints_and_reads_back(path: Path) -> None:
    spec = parse(load(str(path)))
    text = print_spec(spec)
    assert parse(Source("printed", text)) == spec
    assert print_spec(parse(Source("printed", text))) == text


@each_sample
def test_every_expression_span_holds_exactly_its_text(path: Path) -> None:
    source = load(str(path))
    count = 0
    for node in nodes(parse(source)):
        assert node.span.file == source.name, node
        if isinstance(node, EXPRESSIONS):
            text = written(source, node.span)
            assert text == text.strip()
            assert parse_expression(text, "again") == node
            count += 1
    assert count > 10


@each_sample
def test_statement_spans_start_at_their_first_word_and_end_at_their_last(path: Path) -> None:
    source = load(str(path))
    for node in nodes(parse(source)):
        if isinstance(node, s.Statement.__args__):
            text = written(source, node.span)
            assert source.line(node.span.line)[: node.span.column - 1].strip() == ""
            assert text == text.strip()
        if isinstance(node, s.Block | s.Configuration):
            assert written(source, node.name_span) == node.name


@each_sample
def test_chunks_parsed_one_by_one_are_the_whole(path: Path) -> None:
    source = load(str(path))
    chunks = splitter.index(source)
    assert "".join(c.text for c in chunks) == source.text
    whole = parse(source).declarations
    alone = tuple(parse_chunk(c) for c in chunks if c.kind not in ("head", "import"))
    assert alone == whole
    assert [a.span for a in alone] == [w.span for w in whole]
    assert [(c.kind, c.name) for c in chunks if c.kind not in ("head", "import")] == [(w.kind, w.name) for w in whole]


def test_both_line_ends_and_a_byte_order_mark_read_alike(tmp_path: Path) -> None:
    data = SAMPLES[0].read_bytes()
    other = tmp_path / "windows.dl"
    other.write_bytes(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"))
    assert parse(load(str(other))) == parse(load(str(SAMPLES[0])))


def test_print_expression_of_the_samples_is_stable() -> None:
    for path in SAMPLES:
        for node in nodes(parse(load(str(path)))):
            if isinstance(node, EXPRESSIONS):
                assert parse_expression(print_expression(node), "e") == node
