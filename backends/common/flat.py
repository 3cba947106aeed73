"""An expression as one line of text, spaced as `ruff format` spaces it, with brackets exactly where they are needed."""

from __future__ import annotations

import ast

_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.BitOr: ("|", 6),
    ast.BitXor: ("^", 7),
    ast.BitAnd: ("&", 8),
    ast.LShift: ("<<", 9),
    ast.RShift: (">>", 9),
    ast.Add: ("+", 10),
    ast.Sub: ("-", 10),
    ast.Mult: ("*", 11),
    ast.Div: ("/", 11),
    ast.FloorDiv: ("//", 11),
    ast.Mod: ("%", 11),
    ast.MatMult: ("@", 11),
    ast.Pow: ("**", 13),
}
_UNARY: dict[type[ast.unaryop], tuple[str, int]] = {
    ast.Not: ("not ", 4),
    ast.USub: ("-", 12),
    ast.UAdd: ("+", 12),
    ast.Invert: ("~", 12),
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
CONDITIONAL, OR, AND, NOT, COMPARISON, UNARY, POWER, ATOM = 1, 2, 3, 4, 5, 12, 13, 16


def flat(node: ast.AST, level: int = 0) -> str:
    """The text; in brackets if the node binds weaker than `level`."""
    text, own = _text(node)
    return f"({text})" if own < level else text


def binary(node: ast.BinOp) -> tuple[str, int]:
    """Sign and precedence of a binary operator."""
    return _BINARY[type(node.op)]


def string(value: str) -> str:
    """A string literal: double quotes, unless that needs more escapes."""
    quote = "'" if '"' in value and "'" not in value else '"'
    out = value.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    out = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in out)
    return f"{quote}{out}{quote}"


def arguments(node: ast.arguments) -> list[str]:
    """The parameters of a `def`, one text each."""
    out: list[str] = []
    plain = [*node.posonlyargs, *node.args]
    missing = len(plain) - len(node.defaults)
    for place, arg in enumerate(plain):
        out.append(_parameter(arg, node.defaults[place - missing] if place >= missing else None))
    if node.vararg is not None:
        out.append(f"*{_parameter(node.vararg, None)}")
    elif node.kwonlyargs:
        out.append("*")
    for arg, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
        out.append(_parameter(arg, default))
    if node.kwarg is not None:
        out.append(f"**{_parameter(node.kwarg, None)}")
    return out


def call_parts(node: ast.Call) -> list[ast.expr | ast.keyword]:
    return [*node.args, *node.keywords]


def part(node: ast.expr | ast.keyword) -> str:
    """One argument of a call, entry of a list, or axis of a subscript."""
    if isinstance(node, ast.Slice):
        return subscript(node)
    if isinstance(node, ast.keyword):
        return f"{node.arg}={flat(node.value, CONDITIONAL)}" if node.arg else f"**{flat(node.value, ATOM)}"
    return flat(node, CONDITIONAL)


def _parameter(arg: ast.arg, default: ast.expr | None) -> str:
    if arg.annotation is None:
        return arg.arg if default is None else f"{arg.arg}={flat(default, CONDITIONAL)}"
    text = f"{arg.arg}: {flat(arg.annotation, CONDITIONAL)}"
    return text if default is None else f"{text} = {flat(default, CONDITIONAL)}"


def _text(node: ast.AST) -> tuple[str, int]:
    match node:
        case ast.Name(id=id):
            return id, ATOM
        case ast.Constant(value=value):
            return _constant(value)
        case ast.Attribute(value=value, attr=attr):
            target = flat(value, ATOM)
            return (f"({target}).{attr}" if target.isdigit() else f"{target}.{attr}"), ATOM
        case ast.Call():
            if len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp):
                return f"{flat(node.func, ATOM)}{flat(node.args[0])}", ATOM
            return f"{flat(node.func, ATOM)}({', '.join(part(item) for item in call_parts(node))})", ATOM
        case ast.Subscript(value=value, slice=index):
            return f"{flat(value, ATOM)}[{subscript(index)}]", ATOM
        case ast.BinOp():
            return _binary(node)
        case ast.UnaryOp(op=op, operand=operand):
            sign, level = _UNARY[type(op)]
            return f"{sign}{flat(operand, level)}", level
        case ast.BoolOp(op=op, values=values):
            word, level = (" and ", AND) if isinstance(op, ast.And) else (" or ", OR)
            return word.join(flat(value, level + 1) for value in values), level
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            text = flat(left, COMPARISON + 1)
            for op, right in zip(ops, comparators, strict=True):
                text += f" {_COMPARE[type(op)]} {flat(right, COMPARISON + 1)}"
            return text, COMPARISON
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return f"{flat(body, OR)} if {flat(test, OR)} else {flat(orelse, CONDITIONAL)}", CONDITIONAL
        case _:
            return _collection(node)


def _collection(node: ast.AST) -> tuple[str, int]:
    match node:
        case ast.Tuple(elts=items):
            return f"({tuple_items(items)})", ATOM
        case ast.List(elts=items):
            return f"[{', '.join(part(item) for item in items)}]", ATOM
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return "{" + ", ".join(dict_item(key, value) for key, value in pairs) + "}", ATOM
        case ast.Starred(value=value):
            return f"*{flat(value, 6)}", CONDITIONAL
        case ast.GeneratorExp(elt=element, generators=generators):
            return f"({flat(element, CONDITIONAL)} {' '.join(clause(one) for one in generators)})", ATOM
        case ast.ListComp(elt=element, generators=generators):
            return f"[{flat(element, CONDITIONAL)} {' '.join(clause(one) for one in generators)}]", ATOM
        case ast.DictComp(key=key, value=value, generators=generators):
            return f"{{{dict_item(key, value)} {' '.join(clause(one) for one in generators)}}}", ATOM
        case ast.Lambda(args=args, body=body):
            head = ", ".join(arguments(args))
            return f"lambda{' ' if head else ''}{head}: {flat(body, CONDITIONAL)}", CONDITIONAL
        case _:
            raise TypeError(f"no text for {type(node).__name__}")


def dict_item(key: ast.expr | None, value: ast.expr) -> str:
    return f"**{flat(value, ATOM)}" if key is None else f"{flat(key, CONDITIONAL)}: {flat(value, CONDITIONAL)}"


def clause(node: ast.comprehension) -> str:
    """`for a, b in c if d`."""
    tests = "".join(f" if {flat(test, OR)}" for test in node.ifs)
    return f"for {bare(node.target)} in {flat(node.iter, OR)}{tests}"


def bare(node: ast.expr) -> str:
    """A tuple without brackets, where the grammar lets it stand so."""
    return tuple_items(node.elts) if isinstance(node, ast.Tuple) and node.elts else flat(node)


def tuple_items(items: list[ast.expr]) -> str:
    inner = ", ".join(part(item) for item in items)
    return f"{inner}," if len(items) == 1 else inner


def subscript(node: ast.expr) -> str:
    if isinstance(node, ast.Tuple) and node.elts:
        inner = ", ".join(_subscript_item(item) for item in node.elts)
        return f"{inner}," if len(node.elts) == 1 else inner
    return _subscript_item(node)


def _subscript_item(node: ast.expr) -> str:
    if not isinstance(node, ast.Slice):
        return part(node)
    parts = [one for one in (node.lower, node.upper, node.step) if one is not None]
    gap = "" if all(_simple(one) for one in parts) else " "
    text = f"{part(node.lower)}{gap}:" if node.lower is not None else ":"
    if node.upper is not None:
        text += f"{gap}{part(node.upper)}"
    if node.step is not None:
        text += f"{gap if node.upper is not None else ''}:{gap}{part(node.step)}"
    return text


def _simple(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return not isinstance(node.op, ast.Not) and _simple(node.operand)
    return isinstance(node, ast.Name | ast.Constant)


def _binary(node: ast.BinOp) -> tuple[str, int]:
    sign, level = binary(node)
    if sign == "**":
        left, right = flat(node.left, level + 1), flat(node.right, UNARY)
        tight = _simple_power(node.left) and _simple_power(node.right)
        return (f"{left}**{right}" if tight else f"{left} ** {right}"), level
    return f"{flat(node.left, level)} {sign} {flat(node.right, level + 1)}", level


def _simple_power(node: ast.expr) -> bool:
    match node:
        case ast.UnaryOp(op=ast.Not()):
            return False
        case ast.UnaryOp(operand=ast.Constant(value=int() | float())):
            return True
        case ast.Constant(value=int() | float()) | ast.Name():
            return True
        case ast.Attribute(value=value):
            return isinstance(value, ast.Name | ast.Attribute) and _simple_power(value)
        case _:
            return False


def _constant(value: object) -> tuple[str, int]:
    if isinstance(value, str):
        return string(value), ATOM
    if value is Ellipsis:
        return "...", ATOM
    if isinstance(value, int | float) and not isinstance(value, bool) and (value < 0 or repr(value).startswith("-")):
        return repr(value), UNARY
    return repr(value), ATOM
