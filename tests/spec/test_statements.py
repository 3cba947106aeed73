"""Statements, and words that are words only at the start of their statement."""

from __future__ import annotations

import pytest
from dlc.diagnostics import DlcError
from dlc.spec import syntax as s
from dlc.spec.lexer import OPENING_WORDS
from dlc.spec.parser import MAX_MISTAKES, parse
from dlc.spec.printer import print_spec
from dlc.spec.source import Source


def block(text: str) -> s.Block:
    spec = parse(Source("test.dl", text))
    assert parse(Source("test.dl", print_spec(spec))) == spec
    (declaration,) = spec.declarations
    assert isinstance(declaration, s.Block)
    return declaration


def body(*lines: str) -> tuple[s.Statement, ...]:
    return block("block b:\n" + "".join(f"    {line}\n" for line in lines)).body


def n(name: str) -> s.Name:
    return s.Name(name)


@pytest.mark.parametrize("word", sorted(OPENING_WORDS))
def test_a_statement_word_is_an_ordinary_name_elsewhere(word: str) -> None:
    assert body(f"{word} = {word} + 1") == (s.Assign((word,), s.Binary("+", n(word), s.Constant(1))),)
    assert body(f"{word}, y = f({word}, {word}={word})")[0] == s.Assign(
        (word, "y"), s.Call(n("f"), (n(word),), (s.Keyword(word, n(word)),))
    )
    assert body(f"output {word} = r.{word}") == (s.Output(word, s.Attribute(n("r"), word)),)
    assert body(f"input {word}: float[N]") == (s.Input(word, s.TensorType("float", (n("N"),))),)
    assert body(f"for {word} in {word}:", f"    output {word}")[0] == s.For(
        (word,), n(word), (s.Output(None, n(word)),)
    )


F = s.TensorType("float", (n("N"),))


@pytest.mark.parametrize(
    ("text", "node"),
    [
        (
            "input x: int[] in 0..n + 1 = none",
            s.Input(
                "x",
                s.TensorType("int", ()),
                s.Bounds(s.Constant(0), s.Binary("+", n("n"), s.Constant(1))),
                s.Constant(None),
            ),
        ),
        (
            "input x: float[*B, F = 3, 2 * T]",
            s.Input(
                "x",
                s.TensorType(
                    "float",
                    (s.StarDimension("B"), s.SizedDimension("F", s.Constant(3)), s.Binary("*", s.Constant(2), n("T"))),
                ),
            ),
        ),
        ("state h: float[N] = 0", s.State("h", F, s.Constant(0))),
        ("state h: float[N]", s.State("h", F)),
        (
            "param a, b: float[N] ~ normal(0, 1)",
            s.Parameter("param", ("a", "b"), F, s.Call(n("normal"), (s.Constant(0), s.Constant(1)))),
        ),
        ("buffer m: float[N] = 0", s.Parameter("buffer", ("m",), F, None, s.Constant(0))),
        ("sample u: float[N] ~ uniform", s.Sample("u", F, n("uniform"))),
        ("batch x: float[N] in 0..3", s.Batch("x", F, s.Bounds(s.Constant(0), s.Constant(3)))),
        ("next h = x", s.NextAssign("h", n("x"))),
        ("output (x)", s.Output(None, n("x"))),
        ("output next h", s.Output(None, s.Next("h"))),
        ("output next = next h", s.Output("next", s.Next("h"))),
        ("output [x]", s.Output(None, s.ListLiteral((n("x"),)))),
        ("output -x", s.Output(None, s.Unary("-", n("x")))),
        ("send x", s.Send(n("x"))),
        ("aggregate total = sum", s.Aggregate("total", "sum")),
        ("minimize x", s.TrainStatement("minimize", (n("x"),))),
        ("report a = x", s.TrainStatement("report", (n("a"),), (s.Keyword("=", n("x")),))),
        ("set R.w = x", s.TrainStatement("set", (s.Attribute(n("R"), "w"),), (s.Keyword("=", n("x")),))),
        ("carry L reset fresh", s.TrainStatement("carry", (n("L"),), (s.Keyword("reset", n("fresh")),))),
        ("carry reset", s.TrainStatement("carry", (n("reset"),))),
    ],
)
def test_gives(text: str, node: s.Statement) -> None:
    assert body(text) == (node,)


def test_step_with_all_its_clauses() -> None:
    (step,) = body("step D, E except D.w repeat k with adam(repeat=2):", "    minimize x")
    assert step == s.TrainStatement(
        "step",
        (n("D"), n("E")),
        (
            s.Keyword("except", s.Attribute(n("D"), "w")),
            s.Keyword("repeat", n("k")),
            s.Keyword("with", s.Call(n("adam"), (), (s.Keyword("repeat", s.Constant(2)),))),
        ),
        (s.TrainStatement("minimize", (n("x"),)),),
    )


def test_messages_with_its_own_words_as_names() -> None:
    (messages,) = body("messages into -> along along f(into, along) into V:", "    send h[into]")
    call = s.Call(n("f"), (n("into"), n("along")))
    assert messages == s.Messages("into", "along", call, n("V"), (s.Send(s.Index(n("h"), (n("into"),))),))


def test_if_with_all_its_arms() -> None:
    (choice,) = body(
        "if a:", "    x = 1", "elif b:", "    x = 2", "    y = 2", "elif c:", "    x = 3", "else:", "    x = 4"
    )
    assert isinstance(choice, s.If)
    assert [(test, len(arm)) for test, arm in choice.arms] == [(n("a"), 1), (n("b"), 2), (n("c"), 1)]
    assert choice.orelse == (s.Assign(("x",), s.Constant(4)),)


@pytest.mark.parametrize("between", ["", "\n", "    # a comment\n", "\n\n# at the margin\n\n"])
@pytest.mark.parametrize("indent", ["", "  ", "            "])
def test_a_line_that_starts_with_an_arrow_continues(between: str, indent: str) -> None:
    found = block(f"block b:\n    x = y\n{between}{indent}-> f\n{between}{indent}-> g\n    output x\n").body
    assert found == body("x = y -> f -> g", "output x")


def test_hyperparameters_and_docs() -> None:
    header = "block b(\n    n: int = 3, k: list[list[str]],\n    f: block,\n):\n"
    found = block(header + '    """One.\n\n      Two.\n    Three.\n    """\n    output x')
    assert found.doc == "One.\n\n  Two.\nThree."
    nested = s.ConstantType("list", s.ConstantType("list", s.ConstantType("str")))
    assert found.hyperparameters == (
        s.Hyperparameter("n", s.ConstantType("int"), s.Constant(3)),
        s.Hyperparameter("k", nested),
        s.Hyperparameter("f", s.ConstantType("block")),
    )


def test_a_file_with_everything_at_the_top() -> None:
    text = (
        '# c\n"""Doc."""\n\nimport "a.dl"  # c\nimport std.attention\n\n'
        "network A:\n    output x\ntrain T = gan(A)\nnetwork B = A()\n"
    )
    spec = parse(Source("test.dl", text))
    assert spec.doc == "Doc."
    assert spec.imports == (s.Import("a.dl", None), s.Import(None, "std.attention"))
    assert [(d.kind, d.name) for d in spec.declarations] == [("network", "A"), ("train", "T"), ("network", "B")]
    assert parse(Source("again", print_spec(spec))) == spec


def test_a_docstring_may_hold_what_looks_like_a_declaration() -> None:
    spec = parse(
        Source("test.dl", '"""\nnetwork X:\n"""\nnetwork A:\n    """\nblock y:\n"""\n    output f("""\ntrain z\n""")\n')
    )
    assert [d.name for d in spec.declarations] == ["A"]


def test_mistakes_in_several_declarations_come_together() -> None:
    text = "network A:\n    output (\n\nblock b:\n    output x\n\nnetwork C:\n    x = = 3\n"
    with pytest.raises(DlcError) as raised:
        parse(Source("test.dl", text))
    assert [d.span.line for d in raised.value.diagnostics if d.span] == [2, 8]


def test_mistakes_are_counted_to_a_limit() -> None:
    with pytest.raises(DlcError) as raised:
        parse(Source("test.dl", "block a:\n" * 1000))
    assert len(raised.value.diagnostics) == MAX_MISTAKES
