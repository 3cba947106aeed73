"""From text to syntax tree."""

from __future__ import annotations

from dlc.diagnostics import Diagnostic, DlcError, error
from dlc.spec import lalr, lexer, splitter
from dlc.spec.actions import ACTIONS
from dlc.spec.loader import empty
from dlc.spec.source import Source, Span
from dlc.spec.splitter import Chunk
from dlc.spec.syntax import Block, Configuration, Declaration, Expr, Import, Spec
from dlc.spec.token import Token

MAX_DEPTH = 200  # comparing two trees takes three of Python's 1,000 levels of recursion for each of theirs

MAX_MISTAKES = 50


YAML = (".yaml", ".yml")


def parse(source: Source) -> Spec:
    """The tree of a whole file, .dl or (by its name) YAML.

    Raises DlcError with the mistakes of all declarations, about MAX_MISTAKES at most; E0121 where there is nothing.
    """
    if source.name.endswith(YAML):
        from dlc.spec import yaml_reader

        return yaml_reader.read(source, _walk_on)
    doc: str | None = None
    imports: list[Import] = []
    declarations: list[Declaration] = []
    mistakes: list[Diagnostic] = []
    for chunk in splitter.index(source):
        try:
            if chunk.kind == "head":
                doc = parse_head(chunk)
                continue
            node = _run("declaration", chunk)
        except DlcError as e:
            mistakes.extend(e.diagnostics)
            if len(mistakes) >= MAX_MISTAKES:
                break
            continue
        if isinstance(node, Import):
            imports.append(node)
        else:
            declarations.append(node)
    if mistakes:
        raise DlcError(tuple(mistakes))
    if doc is None and not imports and not declarations:
        raise empty(source)
    lines = source.lines
    return Spec(doc, tuple(imports), tuple(declarations), Span(source.name, 1, 1, len(lines), len(lines[-1]) + 1))


def parse_head(chunk: Chunk) -> str | None:
    """The docstring of a file, from its first chunk."""
    return _run("head", chunk)


def parse_chunk(chunk: Chunk) -> Declaration:
    """The declaration of a chunk of kind block, network or train."""
    node = _run("declaration", chunk)
    assert isinstance(node, Block | Configuration), chunk.kind
    return node


def parse_expression(text: str, file: str, line: int = 1, column: int = 1) -> Expr:
    """One expression, which starts at `line` and `column` of `file`. Line breaks in it mean nothing."""
    tokens = lexer.tokenize(Source(file, text).text, file, line, column, lines=False)
    return _walk("expr", tokens)


def _run(start: str, chunk: Chunk):
    return _walk_on(start, lexer.tokenize(chunk.text, chunk.file, chunk.start_line))


def _walk_on(start: str, tokens: list[Token]):
    """What the tokens say. Raises DlcError with the mistakes of all statements, a few at most."""
    try:
        return _walk(start, tokens)
    except DlcError as e:
        first = e
    from dlc.spec import recovery

    mistakes = list(first.diagnostics)
    problem = first
    for _ in range(recovery.MAX_MISTAKES - 1):
        at = recovery.place_of(problem, tokens)
        rest = None if at is None else recovery.mended(tokens, at)
        if rest is None:
            break
        tokens = rest
        try:
            _walk(start, tokens)
            break
        except DlcError as e:
            problem = e
        if problem.diagnostics[0] in mistakes:
            break
        mistakes.extend(problem.diagnostics)
    raise DlcError(tuple(mistakes), first.exit_code)


def _walk(start: str, tokens: list[Token]):
    try:
        return lalr.run(start, tokens, ACTIONS, MAX_DEPTH)
    except lalr.Unexpected as e:
        from dlc.spec.syntax_errors import explain

        raise explain(e, tokens) from None
    except lalr.TooDeep as e:
        first, last = e.values[0], e.values[-1]
        span = (first[0] if isinstance(first, tuple) else first).span.to(last.span)
        raise error(
            "E0107", "this is nested too deeply", span, expected=f"at most {MAX_DEPTH} levels", hint="name parts of it"
        ) from None
