"""Prints a spec as YAML; reading the text gives an equal tree, but for the order of blocks, networks and trains.

Each statement's text is the .dl printer's, cut at its first `:` or `=`.
"""

from __future__ import annotations

from typing import Any

from dlc.spec import syntax as s
from dlc.spec.print_statements import hyperparameter_text, statement_lines
from dlc.spec.printer import print_expression as show
from dlc.spec.yaml_reader import SECTIONS

WIDTH = 120


def print_yaml(spec: s.Spec) -> str:
    """A whole file."""
    import yaml

    document: list[tuple[str, Any]] = []
    if spec.doc is not None:
        document.append(("doc", _doc(spec.doc)))
    if spec.imports:
        document.append(("imports", [_text(i.module or i.path or "") for i in spec.imports]))
    for section, word in SECTIONS.items():
        of_kind = [d for d in spec.declarations if d.kind == word]
        if of_kind:
            document.append((section, _mapping([(d.name, _declaration(d)) for d in of_kind])))
    root = _node(_mapping(document))
    return yaml.serialize(root, Dumper=_dumper(), width=WIDTH, allow_unicode=True)


def _dumper() -> Any:
    import yaml

    class Indented(yaml.SafeDumper):
        """Lists stand deeper than their key; texts are never broken, as that could be inside a string of theirs."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

        def write_plain(self, text: str, split: bool = True) -> None:
            super().write_plain(text, False)

        def write_single_quoted(self, text: str, split: bool = True) -> None:
            super().write_single_quoted(text, False)

        def write_double_quoted(self, text: str, split: bool = True) -> None:
            super().write_double_quoted(text, False)

    return Indented


def _declaration(node: s.Declaration) -> Any:
    if isinstance(node, s.Configuration):
        return _text(show(node.value))
    parts: list[tuple[str, Any]] = []
    if node.doc is not None:
        parts.append(("doc", _doc(node.doc)))
    if node.hyperparameters:
        parts.append(
            ("hyperparameters", _mapping([(h.name, _hyperparameter(h)) for h in node.hyperparameters], flow=True))
        )
    count = next((i for i, one in enumerate(node.body) if not _plain_input(one)), len(node.body))
    inputs, body = node.body[:count], node.body[count:]
    if inputs:
        parts.append(("inputs", _mapping([_input(one) for one in inputs if isinstance(one, s.Input)], flow=True)))
    if body:
        parts.append(("body", _statements(body)))
    return _mapping(parts)


def _plain_input(node: s.Statement) -> bool:
    return isinstance(node, s.Input)


def _hyperparameter(node: s.Hyperparameter) -> Any:
    return _text(hyperparameter_text(node))


def _input(node: s.Input) -> tuple[str, Any]:
    return node.name, _text(statement_lines(node)[0].removeprefix(f"input {node.name}: "))


def _statements(body: tuple[s.Statement, ...]) -> list[Any]:
    return [_statement(node) for node in body]


def _statement(node: s.Statement) -> Any:
    match node:
        case s.For(targets=targets, iterable=iterable, body=body):
            header = f"{', '.join(targets)} in {show(iterable)}"
            return _mapping([("for", _text(header)), ("do", _statements(body))])
        case s.If(arms=arms, orelse=orelse):
            return _if(arms, orelse)
        case s.Messages(source=source, target=target, edges=edges, into=into, body=body):
            header = f"{source} -> {target} along {show(edges)} into {show(into)}"
            return _mapping([("messages", _text(header)), ("do", _statements(body))])
        case s.TrainStatement(word="step", body=body):
            header = statement_lines(node)[0].removeprefix("step ").removesuffix(":")
            return _mapping([("step", _text(header)), ("do", _statements(body))])
        case _:
            return _mapping([_simple(node)])


def _if(arms: tuple[tuple[s.Expr, tuple[s.Statement, ...]], ...], orelse: tuple[s.Statement, ...]) -> Any:
    """`elif` is an `else` with one `if` in it."""
    (test, body), rest = arms[0], arms[1:]
    parts: list[tuple[str, Any]] = [("if", _text(show(test))), ("then", _statements(body))]
    if rest:
        parts.append(("else", [_if(rest, orelse)]))
    elif orelse:
        parts.append(("else", _statements(orelse)))
    return _mapping(parts)


def _simple(node: s.Statement) -> tuple[str, Any]:
    line = statement_lines(node)[0]
    match node:
        case s.Input() | s.State() | s.Sample() | s.Batch() | s.Parameter():
            return _cut(line, ": ", 2)
        case s.Assign() | s.NextAssign() | s.Aggregate():
            return _cut(line, " = ", 3)
        case s.Output(name=str()) | s.TrainStatement(word="report" | "set"):
            return _cut(line, " = ", 3)
        case _:
            word, _, rest = line.partition(" ")
            return word, _text(rest)


def _cut(line: str, at: str, width: int) -> tuple[str, Any]:
    """The words before the first `at`, and what follows its first `width` letters."""
    place = line.index(at)
    return line[:place], _text(line[place + width :])


# --- YAML's own nodes ------------------------------------------------------------------------------------------


class _Text:
    def __init__(self, text: str, style: str | None = None) -> None:
        self.text, self.style = text, style


class _Mapping:
    def __init__(self, items: list[tuple[str, Any]], flow: bool) -> None:
        self.items, self.flow = items, flow


def _text(text: str) -> _Text:
    """Quotes where YAML would read a list or mapping; double ones where .dl has none."""
    inside = any(letter in text for letter in "[]{},") and '"' not in text
    return _Text(text, '"' if inside and text[0].isalpha() and "[" in text.split("(")[0] else None)


def _doc(text: str) -> _Text:
    return _Text(text, "|" if "\n" in text else None)


def _mapping(items: list[tuple[str, Any]], flow: bool = False) -> _Mapping:
    return _Mapping(items, flow)


def _node(value: Any) -> Any:
    import yaml

    match value:
        case _Text(text=text, style=style):
            return yaml.ScalarNode("tag:yaml.org,2002:str", text, style=style)
        case str():
            return yaml.ScalarNode("tag:yaml.org,2002:str", value)
        case _Mapping(items=items, flow=flow):
            pairs = [(_node(key), _node(item)) for key, item in items]
            return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=flow)
        case _:
            return yaml.SequenceNode("tag:yaml.org,2002:seq", [_node(item) for item in value], flow_style=False)
