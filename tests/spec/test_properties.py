"""Any expression tree prints to text that reads back as the same tree; any text gives a tree or a DlcError, in time."""

from __future__ import annotations

import contextlib
import re
import time

from dlc.diagnostics import DlcError
from dlc.render import render_error, to_json
from dlc.spec import syntax as s
from dlc.spec.parser import parse, parse_expression
from dlc.spec.printer import print_expression, print_spec
from dlc.spec.source import Source
from hypothesis import example, given, settings
from hypothesis import strategies as st

from .samples import SAMPLES

names = st.sampled_from(["x", "y", "N", "next", "input", "state", "along", "repeat", "h_1", "Ä"])
constants = st.one_of(
    st.integers(min_value=0),
    st.floats(min_value=0.0).filter(lambda v: str(v)[0] != "-"),
    st.just(float("nan")),
    st.booleans(),
    st.none(),
    st.text(max_size=8).filter(lambda t: not any(0xD800 <= ord(c) < 0xE000 for c in t)),
).map(s.Constant)
leaves = st.one_of(names.map(s.Name), constants, names.map(s.Next))


def several(strategy: st.SearchStrategy, least: int = 0) -> st.SearchStrategy[tuple]:
    return st.lists(strategy, min_size=least, max_size=3).map(tuple)


def deeper(e: st.SearchStrategy) -> st.SearchStrategy:
    optional = st.none() | e
    clause = st.builds(s.Clause, several(names, 1), e, several(e))
    compare_op = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "is", "is not", "in", "not in"])
    comparison = st.lists(st.tuples(compare_op, e), min_size=1, max_size=3).flatmap(
        lambda pairs: e.map(lambda first: s.Compare(tuple(o for o, _ in pairs), (first, *(v for _, v in pairs))))
    )
    return st.one_of(
        st.builds(s.ListLiteral, several(e)),
        st.builds(s.Comprehension, e, several(clause, 1)),
        st.builds(s.Unary, st.sampled_from(["-", "+", "~", "not"]), e),
        st.builds(s.Binary, st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "and", "or"]), e, e),
        comparison,
        st.builds(s.Conditional, e, e, e),
        st.builds(s.Call, e, several(e), several(st.builds(s.Keyword, names, e))),
        st.builds(s.Pipe, e, e),
        st.builds(s.Index, e, several(e | st.builds(s.Slice, optional, optional, optional) | st.just(s.Ellipsis()), 1)),
        st.builds(s.Attribute, e, names),
    )


expressions = st.recursive(leaves, deeper, max_leaves=25)


@settings(max_examples=400, deadline=None)
@given(expressions)
def test_expressions_read_back(tree: s.Expr) -> None:
    text = print_expression(tree)
    assert parse_expression(text, "e") == tree
    assert print_expression(parse_expression(text, "e")) == text


@settings(max_examples=200, deadline=None)
@given(expressions)
def test_no_parenthesis_is_more_than_needed(tree: s.Expr) -> None:
    """Leaving out any printed pair of parentheses that is not a call's changes the tree or is an error."""
    text = print_expression(tree)
    for start, end in _pairs(text):
        without = text[:start] + text[start + 1 : end] + text[end + 1 :]
        with contextlib.suppress(DlcError):
            assert parse_expression(without, "e") != tree, (text, without)


def _pairs(text: str) -> list[tuple[int, int]]:
    """The grouping parentheses outside strings."""
    masked = re.sub(r'"(?:\\.|[^"\\])*"', lambda m: '"' + "_" * (len(m[0]) - 2) + '"', text)
    open_at: list[int] = []
    pairs: list[tuple[int, int]] = []
    for i, character in enumerate(masked):
        if character == "(":
            open_at.append(i)
        elif character == ")":
            start = open_at.pop()
            before = masked[:start].rstrip(" ") if masked[start - 1 : start] == " " else masked[:start]
            if not re.search(r"[\w\])\"]$", masked[:start]) or not before:
                pairs.append((start, i))
    return pairs


docs = st.text(alphabet=st.sampled_from(list("ab \"\\\n'#\t\u00e9")), max_size=30)


@settings(max_examples=300, deadline=None)
@given(docs, docs)
@example('"', '""""')
@example("  a\nb", "a\n  b\n")
def test_docstrings_read_back(of_file: str, of_block: str) -> None:
    from dlc.spec.literals import clean_doc

    block = s.Block("block", "b", (), clean_doc(of_block), (s.Send(s.Name("x")),))
    spec = s.Spec(clean_doc(of_file), (), (block,))
    assert parse(Source("doc", print_spec(spec))) == spec


def attempt(source: Source) -> s.Spec | DlcError:
    try:
        return parse(source)
    except DlcError as e:
        return e


def survives(text: str) -> None:
    """A tree that reads back, or diagnostics that render, within two seconds."""
    source = Source("mutated.dl", text)
    started = time.monotonic()
    result = attempt(source)
    if isinstance(result, s.Spec):
        assert parse(Source("again", print_spec(result))) == result
    else:
        check_diagnostics(result, source)
    assert time.monotonic() - started < 30  # against hangs; benchmarks/bad_input.py measures


def check_diagnostics(e: DlcError, source: Source) -> None:
    """There are some, each has its place inside the text, and all render."""
    assert e.diagnostics
    rendered = render_error(e, {source.name: source})
    for diagnostic in e.diagnostics:
        span = diagnostic.span
        if diagnostic.code == "E0121" and not source.text.strip():  # there is no place in nothing
            continue
        assert span is not None
        assert 1 <= span.line <= len(source.lines)
        assert 1 <= span.column <= len(source.line(span.line)) + 1
        assert (span.line, span.column) <= (span.end_line, span.end_column)
        assert to_json(diagnostic)["code"] in rendered


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=200))
@example("\0")
@example("block\tx:\n\ty")
@example("\ufeff")
def test_any_text(text: str) -> None:
    survives(text)


# fmt: off
WORDS = [
    "block", "network", "train", "import", "input", "state", "param", "output", "next", "for", "if", "else", "in", "x",
    "y", ":", ",", "(", ")", "[", "]", "=", "->", "~", "..", ".", "*", '"s"', "1", "#", "'", '"""',
    "\n", "\n    ", "\n        ",
]
# fmt: on


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(WORDS),
        max_size=60,
    ).map(" ".join)
)
def test_any_words(text: str) -> None:
    survives(text)


TEXTS = [path.read_text(encoding="utf-8") for path in SAMPLES]
TOKEN = re.compile(r"\w+|\n[ ]*|[ ]+|->|.", re.DOTALL)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A sample with one to three tokens or lines deleted, doubled, swapped, or put in from elsewhere."""
    pieces = TOKEN.findall(draw(st.sampled_from(TEXTS)))
    if draw(st.booleans()):
        pieces = "".join(pieces).splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(pieces) - 1))
        match draw(st.sampled_from(["delete", "double", "swap", "insert"])):
            case "delete" if len(pieces) > 1:
                del pieces[at]
            case "swap":
                pieces[at - 1], pieces[at] = pieces[at], pieces[at - 1]
            case "insert":
                pieces.insert(at, draw(st.sampled_from(pieces)))
            case _:
                pieces.insert(at, pieces[at])
    return "".join(pieces)


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_any_mutation_of_a_sample(text: str) -> None:
    survives(text)
