"""A YAML document as nodes with places: what the reader walks. Only mappings, lists and plain text are left.

Texts keep where they stand in the file, so that a mistake inside an expression is shown at its own column. Aliases are
refused (a page of them can stand for a terabyte), and so are tags and duplicate keys.
"""

from __future__ import annotations

from typing import Any

from dlc.diagnostics import DlcError, Note, error
from dlc.spec.record import record
from dlc.spec.source import Source, Span


@record
class Text:
    """A scalar. `raw` is its text as it stands in the file from `span` on, where that reads the same."""

    value: str
    raw: str
    span: Span


@record
class List:
    items: tuple[Node, ...]
    span: Span


@record
class Mapping:
    items: tuple[tuple[Text, Node], ...]
    span: Span


Node = Text | List | Mapping


def compose(source: Source) -> Node | None:
    """The document's nodes; None if it is empty. Raises DlcError E0130 where it is no YAML that dlc reads."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(source.text, Loader=loader):
            if isinstance(event, yaml.AliasEvent):
                raise _refused("an alias (`*name`)", _mark_span(source, event), "write it out, or make a block of it")
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
                raise _refused(f"the tag `{event.tag}`", _mark_span(source, event), "leave it out")
        root = yaml.compose(source.text, Loader=loader)
    except yaml.MarkedYAMLError as e:
        raise _no_yaml(source, e) from None
    except yaml.YAMLError as e:
        raise error("E0130", "this is no YAML", found=str(e).splitlines()[0]) from None
    except RecursionError:
        raise error("E0107", "this is nested too deeply") from None
    return None if root is None else _node(source, root)


def _refused(found: str, span: Span, hint: str) -> DlcError:
    return error("E0130", f"{found} has no place in a spec", span, hint=hint)


_NEEDS_QUOTES = ("mapping values are not allowed", "did not find expected ',' or", "expected ',' or", "alias", "anchor")


def _no_yaml(source: Source, problem: Any) -> DlcError:
    mark = problem.problem_mark or problem.context_mark
    span = Span(source.name, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2) if mark else None
    hint = None
    if problem.problem and any(sign in problem.problem for sign in _NEEDS_QUOTES):
        hint = 'put quotes around text that holds `: `, brackets inside `{}`, or starts with a sign: `x: "float[N, C]"`'
    elif problem.problem and ("expected key" in problem.problem or "block end" in problem.problem):
        hint = "keys and items of one list stand exactly below each other"
    elif problem.problem and "cannot start any token" in problem.problem:
        hint = "indent by spaces, not tabs; put quotes around text that starts with a sign"
    return error("E0130", "this is no YAML", span, found=problem.problem or "text that can't be read", hint=hint)


def _node(source: Source, node: Any) -> Node:
    import yaml

    span = _mark_span(source, node)
    match node:
        case yaml.ScalarNode():
            return _text(source, node, span)
        case yaml.SequenceNode():
            return List(tuple(_node(source, item) for item in node.value), span)
        case _:
            return Mapping(_pairs(source, node), span)


def _pairs(source: Source, node: Any) -> tuple[tuple[Text, Node], ...]:
    found: dict[str, Text] = {}
    pairs: list[tuple[Text, Node]] = []
    for key, value in node.value:
        name = _node(source, key)
        if not isinstance(name, Text):
            raise error("E0131", "a key is text", name.span, found="a list or mapping")
        if name.value in found:
            first = Note("first given here", found[name.value].span)
            raise error("E0131", f"the key `{name.value}` stands twice", name.span, notes=(first,))
        found[name.value] = name
        pairs.append((name, _node(source, value)))
    return tuple(pairs)


def _text(source: Source, node: Any, span: Span) -> Text:
    """A quoted or folded text is taken from the file where only white space differs from what it says."""
    raw = source.text[node.start_mark.index : node.end_mark.index]
    line, column = span.line, span.column
    if node.style in ("'", '"'):
        raw, column = raw[1:-1], column + 1
    elif node.style in ("|", ">"):
        head, _, raw = raw.partition("\n")
        line, column = line + 1, 1
        del head
    if raw.split() != node.value.split():
        raw = node.value
    return Text(node.value, raw, Span(source.name, line, column, span.end_line, span.end_column))


def _mark_span(source: Source, node: Any) -> Span:
    start, end = node.start_mark, node.end_mark
    if end.line > start.line + 1:  # of a long piece, the first line
        return Span(source.name, start.line + 1, start.column + 1, start.line + 1, len(source.line(start.line + 1)) + 1)
    return Span(source.name, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
