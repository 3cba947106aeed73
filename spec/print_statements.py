"""Declarations and statements as lines of .dl text."""

from __future__ import annotations

from dlc.spec import syntax as s
from dlc.spec.print_literals import doc_text, string_text
from dlc.spec.printer import print_expression as show

INDENT = "    "


def declaration_lines(node: s.Declaration) -> list[str]:
    if isinstance(node, s.Configuration):
        return [constant_line(node)]
    doc = doc_lines(node.doc, INDENT) if node.doc is not None else []
    return [block_header(node), *doc, *_body(node.body, INDENT)]


def import_line(node: s.Import) -> str:
    return f"import {node.module}" if node.module is not None else f"import {string_text(node.path or '')}"


def constant_line(node: s.Configuration) -> str:
    return f"{node.kind} {node.name} = {show(node.value)}"


def block_header(node: s.Block) -> str:
    hyperparameters = ", ".join(_hyperparameter(h) for h in node.hyperparameters)
    return f"{node.kind} {node.name}({hyperparameters}):" if hyperparameters else f"{node.kind} {node.name}:"


def doc_lines(doc: str, indent: str) -> list[str]:
    """A docstring that reads back as `doc`; it starts on a line of its own where its lines could lose spaces. Where it
    has several lines, its end stands on a line of its own (PEP 257).
    """
    lines = doc_text(doc).split("\n")
    rest = [line for line in lines[1:] if line]
    plain = not lines[0].startswith(" ") and (not rest or any(not line.startswith(" ") for line in rest))
    shown = [lines[0], *(indent + line if line else "" for line in lines[1:])]
    if plain:
        end = f'\n{indent}"""' if len(lines) > 1 else '"""'
        return (indent + '"""' + "\n".join(shown) + end).split("\n")
    shown[0] = indent + shown[0]
    return [indent + '"""', *shown, indent + '"""']


def _hyperparameter(node: s.Hyperparameter) -> str:
    return f"{node.name}: {hyperparameter_text(node)}"


def hyperparameter_text(node: s.Hyperparameter) -> str:
    """What stands behind the name: type, bounds, default."""
    return f"{constant_type_text(node.type)}{_bounds(node.bounds)}{_equals(node.default)}"


def _bounds(node: s.Bounds | None) -> str:
    if node is None:
        return ""
    return f" in {show(node.low)}..{show(node.high) if node.high is not None else ''}"


def constant_type_text(node: s.ConstantType) -> str:
    if node.options:
        return " | ".join(constant_type_text(option) for option in node.options)
    if node.literal is not None:
        return string_text(node.literal)
    return f"{node.name}[{constant_type_text(node.element)}]" if node.element is not None else node.name


def tensor_type_text(node: s.TensorType) -> str:
    return f"{node.dtype}[{', '.join(show(d) for d in node.dimensions)}]"


def _body(body: tuple[s.Statement, ...], indent: str) -> list[str]:
    return [line for statement in body for line in statement_lines(statement, indent)]


def statement_lines(node: s.Statement, indent: str = "") -> list[str]:
    """The lines of one statement, each starting with `indent`."""
    deeper = indent + INDENT
    match node:
        case s.For():
            header = f"for {', '.join(node.targets)} in {show(node.iterable)}:"
            return [indent + header, *_body(node.body, deeper)]
        case s.If():
            lines: list[str] = []
            for i, (test, body) in enumerate(node.arms):
                lines += [f"{indent}{'elif' if i else 'if'} {show(test)}:", *_body(body, deeper)]
            return [*lines, f"{indent}else:", *_body(node.orelse, deeper)] if node.orelse else lines
        case s.Messages():
            header = f"messages {node.source} -> {node.target} along {show(node.edges)} into {show(node.into)}:"
            return [indent + header, *_body(node.body, deeper)]
        case s.TrainStatement():
            return [indent + _train(node), *_body(node.body, deeper)]
        case _:
            return [indent + _simple(node)]


def _simple(node: s.Statement) -> str:
    match node:
        case s.Input() | s.Batch():
            word = "input" if isinstance(node, s.Input) else "batch"
            default = _equals(node.default) if isinstance(node, s.Input) else ""
            return f"{word} {node.name}: {tensor_type_text(node.type)}{_bounds(node.bounds)}{default}"
        case s.State():
            return f"state {node.name}: {tensor_type_text(node.type)}{_equals(node.initial)}"
        case s.Parameter():
            drawn = f" ~ {show(node.distribution)}" if node.distribution is not None else ""
            names = ", ".join(node.names)
            return f"{node.kind} {names}: {tensor_type_text(node.type)}{drawn}{_equals(node.value)}"
        case s.Sample():
            return f"sample {node.name}: {tensor_type_text(node.type)} ~ {show(node.distribution)}"
        case s.Assign():
            return f"{', '.join(node.targets)} = {show(node.value)}"
        case s.NextAssign():
            return f"next {node.name} = {show(node.value)}"
        case s.Output():
            return f"output {node.name} = {show(node.value)}" if node.name is not None else f"output {show(node.value)}"
        case s.Send():
            return f"send {show(node.value)}"
        case s.Aggregate():
            return f"aggregate {node.name} = {node.how}"
        case _:
            raise AssertionError(node)


def _equals(value: s.Expr | None) -> str:
    return f" = {show(value)}" if value is not None else ""


def _train(node: s.TrainStatement) -> str:
    subjects = ", ".join(show(e) for e in node.subjects)
    clauses = "".join(f" {c.name} {show(c.value)}" for c in node.clauses)
    return f"{node.word} {subjects}{clauses}{':' if node.word == 'step' else ''}"
