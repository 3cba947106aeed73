"""Prints expressions and specs as canonical .dl text; parsing the text gives an equal tree.

Comments and the line breaks of the original are not kept: `format.py` does that. Nothing here recurses over
expressions, so that a tree as deep as the parser allows prints.
"""

from __future__ import annotations

from dlc.spec import precedence as p
from dlc.spec import syntax as s
from dlc.spec.print_literals import constant_text

Part = s.Expr | s.Slice | s.Ellipsis | s.Keyword | s.Clause | s.StarDimension | s.SizedDimension
Piece = str | tuple[Part, int]  # text, or a part and the level it must reach to stand without parentheses


def print_expression(expr: Part) -> str:
    """The expression on one line, with the parentheses it needs and no others."""
    out: list[str] = []
    stack: list[Piece] = [(expr, p.PIPE)]
    while stack:
        piece = stack.pop()
        if isinstance(piece, str):
            out.append(piece)
            continue
        part, least = piece
        level, pieces = _pieces(part)
        if level < least:
            pieces = ["(", *pieces, ")"]
        stack.extend(reversed(pieces))
    return "".join(out)


def _pieces(part: Part) -> tuple[int, list[Piece]]:
    """The level of a part, and its text with its own parts still to print."""
    match part:
        case s.Name():
            return p.ATOM, [part.id]
        case s.Constant():
            return _constant(part)
        case s.Ellipsis():
            return p.ATOM, ["..."]
        case s.Next():
            return p.ATOM, [f"next {part.name}"]
        case s.ListLiteral():
            return p.ATOM, ["[", *_joined([(item, p.PIPE) for item in part.items]), "]"]
        case s.Comprehension():
            clauses: list[Piece] = [piece for clause in part.clauses for piece in (" ", (clause, p.PIPE))]
            return p.ATOM, ["[", (part.element, p.PIPE), *clauses, "]"]
        case s.Call():
            arguments: list[Piece] = [(a, p.PIPE) for a in (*part.args, *part.keywords)]
            return p.PRIMARY, [(part.function, p.PRIMARY), "(", *_joined(arguments), ")"]
        case s.Index():
            return p.PRIMARY, [(part.value, p.PRIMARY), "[", *_joined([(i, p.PIPE) for i in part.items]), "]"]
        case s.Attribute():
            return p.PRIMARY, [(part.value, p.ATOM + 1 if _is_int(part.value) else p.PRIMARY), f".{part.name}"]
        case s.Pipe():
            left = p.PIPE if isinstance(part.value, s.Pipe) else p.PRIMARY
            return p.PIPE, [(part.value, left), " -> ", (part.target, p.PRIMARY)]
        case s.Unary():
            level = p.UNARY[part.op]
            return level, [part.op + (" " if part.op == "not" else ""), (part.operand, level)]
        case s.Binary():
            return _binary(part)
        case s.Compare():
            operands: list[Piece] = [(part.operands[0], p.BIT_OR)]
            for op, operand in zip(part.ops, part.operands[1:], strict=True):
                operands += [f" {op} ", (operand, p.BIT_OR)]
            return p.COMPARE, operands
        case s.Conditional():
            test: list[Piece] = [(part.body, p.OR), " if ", (part.test, p.OR), " else ", (part.orelse, p.CONDITIONAL)]
            return p.CONDITIONAL, test
        case _:
            return p.ATOM, _inner(part)


def _inner(part: s.Slice | s.Keyword | s.Clause | s.StarDimension | s.SizedDimension) -> list[Piece]:
    """Parts that stand only inside brackets."""
    match part:
        case s.Keyword():
            return [f"{part.name}=", (part.value, p.PIPE)]
        case s.Slice():
            start: list[Piece] = [(part.start, p.PIPE)] if part.start is not None else []
            stop: list[Piece] = [(part.stop, p.PIPE)] if part.stop is not None else []
            step: list[Piece] = [":", (part.step, p.PIPE)] if part.step is not None else []
            return [*start, ":", *stop, *step]
        case s.Clause():
            conditions: list[Piece] = [piece for c in part.conditions for piece in (" if ", (c, p.OR))]
            return [f"for {', '.join(part.targets)} in ", (part.iterable, p.OR), *conditions]
        case s.StarDimension():
            return [f"*{part.name}"]
        case s.SizedDimension():
            return [f"{part.name} = ", (part.size, p.PIPE)]


def _is_int(part: Part) -> bool:
    """`1.x` would read as a broken number."""
    return isinstance(part, s.Constant) and type(part.value) is int


def _constant(part: s.Constant) -> tuple[int, list[Piece]]:
    """A number below zero is no literal: it reads back as a minus sign and a number."""
    text = constant_text(part.value)
    return (p.SIGN if text.startswith("-") else p.ATOM), [text]


def _binary(part: s.Binary) -> tuple[int, list[Piece]]:
    level = p.BINARY[part.op]
    if part.op == "**":
        return level, [(part.left, p.PRIMARY), " ** ", (part.right, p.SIGN)]
    return level, [(part.left, level), f" {part.op} ", (part.right, level + 1)]


def _joined(pieces: list[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in pieces:
        joined += [", ", piece] if joined else [piece]
    return joined


def print_spec(spec: s.Spec) -> str:
    """A whole file: docstring, imports, declarations with two blank lines around blocks."""
    from dlc.spec.print_statements import declaration_lines, doc_lines, import_line

    parts: list[str] = []
    if spec.doc is not None:
        parts.append("\n".join(doc_lines(spec.doc, "")) + "\n")
    if spec.imports:
        parts.append("\n".join(map(import_line, spec.imports)) + "\n")
    previous: s.Declaration | None = None
    for declaration in spec.declarations:
        text = "\n".join(declaration_lines(declaration)) + "\n"
        if isinstance(previous, s.Configuration) and isinstance(declaration, s.Configuration):
            parts[-1] += text
        else:
            parts.append(("\n" if previous is not None else "") + text)
        previous = declaration
    return "\n".join(parts)
