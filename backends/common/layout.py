"""A tree of Python code as text, laid out as `ruff format` would (line length 88).

`flat` prints one line; this module breaks lines that are too long: arguments move to a line of their own between the
brackets, and if that is too long still, one each with a trailing comma; operators start the lines they break.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dlc.backends.common.flat import (
    AND,
    CONDITIONAL,
    OR,
    arguments,
    bare,
    binary,
    call_parts,
    clause,
    dict_item,
    flat,
    part,
    subscript,
)

WIDTH = 88
STEP = "    "


def print_module(body: Sequence[ast.stmt]) -> str:
    """A whole file."""
    lines: list[str] = []
    before: ast.stmt | None = None
    for node in body:
        if before is not None:
            lines += [""] * _blank_lines(before, node)
        lines += _statement(node, "")
        before = node
    return "\n".join(lines) + "\n"


def fits(node: ast.stmt, indent: int) -> bool:
    """True if the statement stands on one line at this depth."""
    return len(_statement(node, STEP * indent)) == 1


def lines_of(node: ast.stmt, indent: int) -> list[str]:
    """The statement's lines at this depth."""
    return _statement(node, STEP * indent)


def _blank_lines(before: ast.stmt, node: ast.stmt) -> int:
    definitions = (ast.FunctionDef, ast.ClassDef)
    imports = (ast.Import, ast.ImportFrom)
    if isinstance(before, definitions) or isinstance(node, definitions):
        return 2
    if _is_docstring(before) or isinstance(before, imports) != isinstance(node, imports):
        return 1
    if isinstance(before, imports) and isinstance(node, imports):
        return 1 if _import_section(before) != _import_section(node) else 0
    return 0


def _import_section(node: ast.stmt) -> int:
    module = (
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name if isinstance(node, ast.Import) else ""
    )
    root = (module or "").split(".")[0]
    if root == "__future__":
        return 0
    return 1 if root in ("math", "os", "typing", "collections", "pathlib", "functools", "sys") else 2


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


# --- statements --------------------------------------------------------------------------------------------------


def _statement(node: ast.stmt, indent: str) -> list[str]:
    match node:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return _docstring(text, indent)
        case ast.Expr(value=value):
            return _line(indent, "", value, "")
        case ast.Return(value=value):
            return _line(indent, "return ", value, "") if value is not None else [f"{indent}return"]
        case ast.Assign(targets=targets, value=value):
            left = "".join(f"{bare(target)} = " for target in targets)
            lines = _line(indent, left, value, "")
            match targets:
                case [ast.Tuple(elts=names)] if len(lines[0]) > WIDTH:
                    head = [f"{indent}(", *(f"{indent}{STEP}{flat(one)}," for one in names)]
                    return [*head, *_line(indent, ") = ", value, "")]
                case _:
                    return lines
        case ast.AugAssign(target=target, op=op, value=value):
            sign = binary(ast.BinOp(target, op, value))[0]
            return _line(indent, f"{flat(target)} {sign}= ", value, "")
        case ast.AnnAssign(target=target, annotation=annotation, value=value):
            head = f"{flat(target)}: {flat(annotation)}"
            return [f"{indent}{head}"] if value is None else _line(indent, f"{head} = ", value, "")
        case ast.Raise(exc=exc) if exc is not None:
            return _line(indent, "raise ", exc, "")
        case ast.Assert(test=test, msg=None):
            return _line(indent, "assert ", test, "")
        case ast.Pass():
            return [f"{indent}pass"]
        case ast.Import(names=names):
            return [f"{indent}import {', '.join(_alias(one) for one in names)}"]
        case ast.ImportFrom(module=module, names=names):
            return _import_from(f"{indent}from {module} import ", names)
        case _:
            return _compound(node, indent)


def _compound(node: ast.stmt, indent: str) -> list[str]:
    match node:
        case ast.If():
            return _if(node, indent, "if ")
        case ast.For(target=target, iter=iterable, body=body):
            return [*_line(indent, f"for {bare(target)} in ", iterable, ":"), *_block(body, indent)]
        case ast.While(test=test, body=body):
            return [*_line(indent, "while ", test, ":"), *_block(body, indent)]
        case ast.With(items=[item], body=body) if item.optional_vars is None:
            return [*_line(indent, "with ", item.context_expr, ":"), *_block(body, indent)]
        case ast.FunctionDef():
            return _function(node, indent)
        case ast.ClassDef(name=name, bases=bases, body=body):
            decorators = [f"{indent}@{flat(one)}" for one in node.decorator_list]
            inner = f"({', '.join(part(base) for base in bases)})" if bases else ""
            return [*decorators, f"{indent}class {name}{inner}:", *_class_body(body, indent + STEP)]
        case _:
            raise TypeError(f"no text for {type(node).__name__}")


def _if(node: ast.If, indent: str, word: str) -> list[str]:
    lines = [*_line(indent, word, node.test, ":"), *_block(node.body, indent)]
    if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        return lines + _if(node.orelse[0], indent, "elif ")
    if node.orelse:
        lines += [f"{indent}else:", *_block(node.orelse, indent)]
    return lines


def _block(body: Sequence[ast.stmt], indent: str) -> list[str]:
    lines: list[str] = []
    for node in body:
        lines += _statement(node, indent + STEP)
    return lines


def _class_body(body: Sequence[ast.stmt], indent: str) -> list[str]:
    lines: list[str] = []
    before: ast.stmt | None = None
    for node in body:
        if before is not None and (
            _is_docstring(before) or isinstance(node, ast.FunctionDef) or isinstance(before, ast.FunctionDef)
        ):
            lines.append("")
        lines += _statement(node, indent)
        before = node
    return lines


def _function(node: ast.FunctionDef, indent: str) -> list[str]:
    lines = [line for one in node.decorator_list for line in _line(indent, "@", one, "")]
    returns = f" -> {flat(node.returns)}" if node.returns is not None else ""
    parameters = arguments(node.args)
    whole = f"{indent}def {node.name}({', '.join(parameters)}){returns}:"
    if len(whole) <= WIDTH or not parameters:
        return [*lines, whole, *_block(node.body, indent)]
    inner = indent + STEP
    joined = inner + ", ".join(parameters)
    middle = [joined] if len(joined) <= WIDTH and len(parameters) > 1 else _parameters(node.args, inner)
    end = [f"{indent}){returns}:"]
    if len(end[0]) > WIDTH and node.returns is not None:
        end = _brackets(indent, ") -> ", node.returns, ":")
    return [*lines, f"{indent}def {node.name}(", *middle, *end, *_block(node.body, indent)]


def _parameters(node: ast.arguments, indent: str) -> list[str]:
    """One parameter a line; a default that is too long is broken."""
    count = len(node.posonlyargs) + len(node.args)
    plain: list[ast.expr | None] = [*[None] * (count - len(node.defaults)), *node.defaults]
    star = [None] if node.vararg is not None or node.kwonlyargs else []
    defaults = [*plain, *star, *node.kw_defaults, *([None] if node.kwarg is not None else [])]
    lines: list[str] = []
    for text, default in zip(arguments(node), defaults, strict=True):
        if default is None or len(f"{indent}{text},") <= WIDTH:
            lines.append(f"{indent}{text},")
        else:
            lines += _line(indent, text.removesuffix(flat(default, CONDITIONAL)), default, ",")
    return lines


def _docstring(text: str, indent: str) -> list[str]:
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    rows = escaped.strip().split("\n")
    margin = min((len(row) - len(row.lstrip()) for row in rows[1:] if row.strip()), default=0)
    space = " " if rows[0].startswith('"') else ""
    out = [f'{indent}"""{space}{rows[0].rstrip()}']
    out += [f"{indent}{row[margin:].rstrip()}" if row.strip() else "" for row in rows[1:]]
    tail = '"""'
    if (
        (out[-1].endswith('"') and len(rows) > 1)
        or rows[-1].endswith('"')
        or (out[-1].endswith("\\") and (len(out[-1]) - len(out[-1].rstrip("\\"))) % 2)
    ):
        tail = ' """'
    if len(rows) > 1:
        return [*out, f'{indent}"""']
    return [out[0] + tail]


def _alias(node: ast.alias) -> str:
    return node.name if node.asname is None else f"{node.name} as {node.asname}"


def _import_from(head: str, names: Sequence[ast.alias]) -> list[str]:
    whole = head + ", ".join(_alias(one) for one in names)
    if len(whole) <= WIDTH:
        return [whole]
    return [f"{head}(", *(f"{STEP}{_alias(one)}," for one in names), ")"]


# --- lines that may break ----------------------------------------------------------------------------------------


def _line(indent: str, head: str, value: ast.expr, tail: str) -> list[str]:
    """`head value tail`, on one line if it fits."""
    text = bare(value) if _may_be_bare(head) else flat(value)
    whole = f"{indent}{head}{text}{tail}"
    if len(whole) <= WIDTH:
        return [whole]
    if isinstance(value, ast.Tuple) and _may_be_bare(head):
        return _explode(indent, head + "(", value.elts, ")" + tail)
    if _is_bracketed(value):
        return _brackets(indent, head, value, tail)
    return [f"{indent}{head}(", *_inside(indent + STEP, value, ""), f"{indent}){tail}"]


def _may_be_bare(head: str) -> bool:
    return head.startswith("return ") or head.endswith(" = ") or head.startswith("for ")


def _is_bracketed(value: ast.expr) -> bool:
    """True for what ends in brackets of its own and has none before them."""
    match value:
        case ast.Call(func=func):
            return _is_plain(func)
        case ast.Subscript(value=inner):
            return _is_plain(inner)
        case ast.List() | ast.Tuple() | ast.Dict() | ast.ListComp() | ast.GeneratorExp() | ast.DictComp():
            return True
        case _:
            return False


def _is_plain(node: ast.expr) -> bool:
    """A name, its attributes, and their items: `units[-1].append`."""
    if isinstance(node, ast.Attribute | ast.Subscript):
        return _is_plain(node.value)
    return isinstance(node, ast.Name)


def _brackets(indent: str, head: str, value: ast.expr, tail: str) -> list[str]:
    match value:
        case ast.Call(func=func, args=[ast.GeneratorExp() as generator], keywords=[]):
            open_, close = f"{head}{flat(func)}(", f"){tail}"
            return [indent + open_, *_comprehension(indent + STEP, generator), indent + close]
        case ast.Call(func=func):
            return _arguments(indent, f"{head}{flat(func)}(", call_parts(value), f"){tail}")
        case ast.Subscript(value=inner, slice=index):
            text = f"{indent}{STEP}{subscript(index)}"
            if len(text) <= WIDTH:
                return [f"{indent}{head}{flat(inner)}[", text, f"{indent}]{tail}"]
            items = index.elts if isinstance(index, ast.Tuple) else [index]
            return _explode(indent, f"{head}{flat(inner)}[", items, f"]{tail}")
        case ast.List(elts=items):
            return _explode(indent, f"{head}[", items, f"]{tail}")
        case ast.Tuple(elts=items):
            return _explode(indent, f"{head}(", items, f"){tail}")
        case ast.Dict(keys=keys, values=values):
            rows = [f"{indent}{STEP}{dict_item(key, one)}," for key, one in zip(keys, values, strict=True)]
            return [f"{indent}{head}{{", *rows, f"{indent}}}{tail}"]
        case ast.ListComp():
            return [f"{indent}{head}[", *_comprehension(indent + STEP, value), f"{indent}]{tail}"]
        case ast.GeneratorExp():
            return [f"{indent}{head}(", *_comprehension(indent + STEP, value), f"{indent}){tail}"]
        case _:
            return [f"{indent}{head}{flat(value)}{tail}"]


def _arguments(indent: str, head: str, parts: Sequence[ast.expr | ast.keyword], tail: str) -> list[str]:
    inner = indent + STEP
    joined = inner + ", ".join(part(item) for item in parts)
    if len(joined) <= WIDTH:
        return [indent + head, joined, indent + tail]
    if len(parts) == 1 and not isinstance(parts[0], ast.keyword | ast.Starred):
        return [indent + head, *_inside(inner, parts[0], ""), indent + tail]
    rows = [row for item in parts for row in _inside(inner, item, ",")]
    return [indent + head, *rows, indent + tail]


def _explode(indent: str, head: str, items: Sequence[ast.expr], tail: str) -> list[str]:
    rows = [row for item in items for row in _inside(indent + STEP, item, ",")]
    return [indent + head, *rows, indent + tail]


def _inside(indent: str, node: ast.expr | ast.keyword, tail: str) -> list[str]:
    """An expression inside of brackets, where it may break at its operators."""
    text = f"{indent}{part(node)}{tail}"
    if len(text) <= WIDTH:
        return [text]
    if isinstance(node, ast.keyword):
        return _line(indent, f"{node.arg}=", node.value, tail)
    match node:
        case ast.BinOp() | ast.BoolOp() | ast.Compare():
            return _operators(indent, node, tail)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            first = _inside(indent, body, "")
            middle = _prefixed(indent, "if ", test, OR)
            return [*first, *middle, *_prefixed(indent, "else ", orelse, CONDITIONAL, tail)]
        case ast.Starred(value=value):
            return _line(indent, "*", value, tail)
        case ast.Lambda(body=body):
            head = flat(node).removesuffix(flat(body))
            if isinstance(body, ast.Call) and len(f"{indent}{head}{flat(body.func)}(") <= WIDTH:
                return _brackets(indent, head, body, tail)
            return [f"{indent}{head}(", *_inside(indent + STEP, body, ""), f"{indent}){tail}"]
        case _ if _is_bracketed(node):
            return _brackets(indent, "", node, tail)
        case _:
            return [text]


def _operators(indent: str, node: ast.BinOp | ast.BoolOp | ast.Compare, tail: str) -> list[str]:
    pieces, level = _pieces(node)
    lines: list[str] = []
    for place, (sign, operand) in enumerate(pieces):
        last = place == len(pieces) - 1
        lines += _prefixed(indent, f"{sign} " if sign else "", operand, level, tail if last else "")
    return lines


def _pieces(node: ast.BinOp | ast.BoolOp | ast.Compare) -> tuple[list[tuple[str, ast.expr]], int]:
    if isinstance(node, ast.BoolOp):
        word, level = ("and", AND) if isinstance(node.op, ast.And) else ("or", OR)
        return [(word if i else "", value) for i, value in enumerate(node.values)], level + 1
    if isinstance(node, ast.Compare):
        text = flat(ast.Compare(node.left, node.ops[:1], node.comparators[:1]))
        sign = text.removeprefix(flat(node.left, 6)).split(" ")[1]
        return [("", node.left), (sign, node.comparators[0])], 6
    sign, level = binary(node)
    if isinstance(node.left, ast.BinOp) and binary(node.left)[1] == level:
        left, _ = _pieces(node.left)
    else:
        left = [("", node.left)]
    return [*left, (sign, node.right)], level + 1


def _prefixed(indent: str, prefix: str, node: ast.expr, level: int, tail: str = "") -> list[str]:
    text = f"{indent}{prefix}{flat(node, level)}{tail}"
    if len(text) <= WIDTH:
        return [text]
    if _is_bracketed(node):
        return _brackets(indent, prefix, node, tail)
    bracketed = flat(node, level) != flat(node)
    if bracketed or prefix == "":
        inner = _inside(indent + STEP, node, "") if bracketed else _inside(indent, node, tail)
        return [f"{indent}{prefix}(", *inner, f"{indent}){tail}"] if bracketed else inner
    rows = _inside(indent, node, tail)
    return [f"{indent}{prefix}{rows[0][len(indent) :]}", *rows[1:]]


def _comprehension(indent: str, node: ast.ListComp | ast.GeneratorExp) -> list[str]:
    element = part(node.elt)
    clauses = [clause(one) for one in node.generators]
    whole = f"{indent}{element} {' '.join(clauses)}"
    if len(whole) <= WIDTH:
        return [whole]
    return [*_inside(indent, node.elt, ""), *(f"{indent}{one}" for one in clauses)]
