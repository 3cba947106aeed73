"""Precedence and forms of expressions; the fully parenthesised form on the right says how the left one is read."""

from __future__ import annotations

import pytest
from dlc.diagnostics import DlcError
from dlc.spec import syntax as s
from dlc.spec.parser import parse_expression
from dlc.spec.printer import print_expression


def read(text: str) -> s.Expr:
    return parse_expression(text, "test")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a ** b ** c", "a ** (b ** c)"),
        ("-a ** -b", "-(a ** (-b))"),
        ("-a * b", "(-a) * b"),
        ("a @ b / c // d % e", "(((a @ b) / c) // d) % e"),
        ("a | b & c", "a | (b & c)"),
        ("a & b + c", "a & (b + c)"),
        ("a == b | c", "a == (b | c)"),
        ("~a & b", "(~a) & b"),
        ("not a == b", "not (a == b)"),
        ("not a and b or c", "((not a) and b) or c"),
        ("a or b and c", "a or (b and c)"),
        ("a if b or c else d if e else f", "a if (b or c) else (d if e else f)"),
        ("a -> b -> c(d)", "(a -> b) -> c(d)"),
        ("next h -> f", "(next h) -> f"),
        ("f(a -> b, k=c -> d)", "f((a -> b), k=(c -> d))"),
        ("x[a -> b:]", "x[(a -> b):]"),
        ("a.b[c](d).e", "(((a.b)[c])(d)).e"),
        ("a\n + (b\n# note\n)", "a + b"),
        ("a is not none and b not in c", "(a is not none) and (b not in c)"),
    ],
)
def test_reads_as(text: str, meaning: str) -> None:
    assert read(text) == read(meaning)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a < b <= c", s.Compare(("<", "<="), (s.Name("a"), s.Name("b"), s.Name("c")))),
        ("a is not b", s.Compare(("is not",), (s.Name("a"), s.Name("b")))),
        ("a is (not b)", s.Compare(("is",), (s.Name("a"), s.Unary("not", s.Name("b"))))),
        ("next", s.Name("next")),
        ("next + 1", s.Binary("+", s.Name("next"), s.Constant(1))),
        ("next h", s.Next("h")),
        ("r.output", s.Attribute(s.Name("r"), "output")),
        ("x[..., 0]", s.Index(s.Name("x"), (s.Ellipsis(), s.Constant(0)))),
        ("x[::2]", s.Index(s.Name("x"), (s.Slice(None, None, s.Constant(2)),))),
        (
            "x[:, 1:n, i]",
            s.Index(s.Name("x"), (s.Slice(None, None, None), s.Slice(s.Constant(1), s.Name("n"), None), s.Name("i"))),
        ),
        ("f(a, b=c,)", s.Call(s.Name("f"), (s.Name("a"),), (s.Keyword("b", s.Name("c")),))),
        ("[]", s.ListLiteral(())),
        ("[a,]", s.ListLiteral((s.Name("a"),))),
        (
            "[a for a, b in c if d if e for f in g]",
            s.Comprehension(
                s.Name("a"),
                (
                    s.Clause(("a", "b"), s.Name("c"), (s.Name("d"), s.Name("e"))),
                    s.Clause(("f",), s.Name("g")),
                ),
            ),
        ),
        ("1_000", s.Constant(1000)),
        ("2e-4", s.Constant(2e-4)),
        (".5", s.Constant(0.5)),
        ("5.", s.Constant(5.0)),
        ("inf", s.Constant(float("inf"))),
        ("nan", s.Constant(float("nan"))),
        ("true", s.Constant(True)),
        ("none", s.Constant(None)),
        (r'"a\n\x41\u00e9\""', s.Constant('a\nA\u00e9"')),
        ("'it'", s.Constant("it")),
    ],
)
def test_gives(text: str, node: s.Expr) -> None:
    assert read(text) == node
    assert read(print_expression(node)) == node


def test_constants_of_different_types_differ() -> None:
    assert len({s.Constant(1), s.Constant(1.0), s.Constant(True)}) == 3
    assert s.Constant(0.0) != s.Constant(-0.0)


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("x + f(x) -> layer_norm", ["(x + f(x)) -> layer_norm", "x + (f(x) -> layer_norm)"]),
        ("a -> b + c", ["a -> (b + c)", "(a -> b) + c"]),
        ("a -> b + c -> d", ["a -> (b + c) -> d", "(a -> b) + (c -> d)"]),
        ("a + b * c -> d -> e", ["(a + b * c) -> d -> e", "a + b * (c -> d -> e)"]),
        ("-x -> f", ["(-x) -> f", "-(x -> f)"]),
        ("a if c else b -> f", ["(a if c else b) -> f", "a if c else (b -> f)"]),
        ("a < b -> f", ["(a < b) -> f", "a < (b -> f)"]),
        ("x -> -f", ["x -> (-f)"]),
    ],
)
def test_a_pipe_beside_an_operator_shows_both_readings(text: str, readings: list[str]) -> None:
    with pytest.raises(DlcError) as raised:
        read(text)
    (found,) = raised.value.diagnostics
    assert found.code == "E0112"
    assert found.hint == "write " + " or ".join(f"`{r}`" for r in readings)
    trees = [read(r) for r in readings]
    assert len(set(trees)) == len(trees)


@pytest.mark.parametrize("text", ["(x + f(x)) -> g", "x + (x -> g)", "(-x) -> g", "((a) + (b)) -> g", "(a)(b) -> c[0]"])
def test_a_pipe_beside_parentheses_is_fine(text: str) -> None:
    assert read(print_expression(read(text))) == read(text)


def test_spans_start_where_the_expression_does() -> None:
    tree = parse_expression("a +\n b * (c)", "model.yaml", 7, 12)
    assert isinstance(tree, s.Binary)
    assert str(tree.span) == "model.yaml:7:12"
    assert (tree.span.end_line, tree.span.end_column) == (8, 9)
    assert isinstance(tree.right, s.Binary)
    assert str(tree.right.right.span) == "model.yaml:8:6"
    with pytest.raises(DlcError, match=r"model\.yaml:7:14"):
        parse_expression("a ^ b", "model.yaml", 7, 12)
    with pytest.raises(DlcError, match=r"model\.yaml:7:14"):
        parse_expression("a b", "model.yaml", 7, 12)
