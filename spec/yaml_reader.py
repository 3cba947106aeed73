"""Reads a YAML spec into the syntax tree of .dl files.

YAML holds the structure; every text in it is .dl. A key is a statement's words and its value what follows:

    - q, k, v: x -> dense(3 * D) -> split(3, axis=-1)     q, k, v = x -> ...
    - output logits: dense(x, 10)                         output logits = dense(x, 10)
    - param w: float[I, O] ~ xavier_uniform               param w: float[I, O] ~ xavier_uniform
    - for: i in range(n)                                  for i in range(n):
      do: [...]                                               ...
    - if: training                                        if training:
      then: [...]                                             ...
      else: [...]                                         else: ...

So a declaration is turned into the tokens of its .dl form, each with its place in the YAML file, and the one parser
reads these: both forms have one grammar, one tree and the same messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from dlc.diagnostics import Diagnostic, DlcError, did_you_mean, error
from dlc.spec import lexer
from dlc.spec.lalr import END
from dlc.spec.lexer import OPENING_WORDS, retag
from dlc.spec.loader import empty
from dlc.spec.source import Source, Span
from dlc.spec.syntax import Declaration, Import, Spec
from dlc.spec.token import Token
from dlc.spec.yaml_nodes import List, Mapping, Node, Text, compose

#: The sections of a document, and the word of the declarations in each.
SECTIONS = {"blocks": "block", "networks": "network", "trains": "train"}
DOCUMENT_KEYS = ("doc", "imports", *SECTIONS)
BLOCK_KEYS = ("doc", "hyperparameters", "inputs", "body")
#: What stands between a statement's words and the rest, by its first word; `=` for all other words.
JOINS = {
    **dict.fromkeys(("input", "batch", "state", "param", "buffer", "sample"), ":"),
    **dict.fromkeys(("send", "minimize", "carry"), ""),
}
#: Statements with statements below them, and the key of these.
COMPOUND = {"for": "do", "messages": "do", "step": "do", "if": "then"}

_KEYS = ", ".join(f"`{key}`" for key in BLOCK_KEYS)
Told = list[Diagnostic]
Parse = Callable[[str, list[Token]], Declaration | Import]


def read(source: Source, parse: Parse) -> Spec:
    """The tree of a whole document; `parse` makes a declaration of its tokens.

    Raises DlcError with the mistakes of all sections, declarations and statements; E0121 where there is nothing.
    """
    root = compose(source)
    if root is None:
        raise empty(source)
    if not isinstance(root, Mapping):
        expected = ", ".join(f"`{key}:`" for key in DOCUMENT_KEYS)
        raise error("E0131", "a spec is a mapping", root.span, expected=expected)
    mistakes = _unknown(root, DOCUMENT_KEYS)
    sections = {key.value: value for key, value in root.items}
    doc = sections.get("doc")
    imports: list[Import] = []
    declarations: list[Declaration] = []
    for tokens in _declarations(sections, mistakes):
        try:
            node = parse("declaration", tokens())
        except DlcError as e:
            mistakes.extend(d for d in e.diagnostics if d not in mistakes)
            continue
        if isinstance(node, Import):
            imports.append(node)
        else:
            declarations.append(node)
    if mistakes:
        raise DlcError(tuple(sorted(mistakes, key=_place)))
    text = None if doc is None else _text(doc, "doc").value
    lines = source.lines
    whole = Span(source.name, 1, 1, len(lines), len(lines[-1]) + 1)
    return Spec(text, tuple(imports), tuple(declarations), whole)


def _place(mistake: Diagnostic) -> tuple[int, int]:
    return (mistake.span.line, mistake.span.column) if mistake.span is not None else (0, 0)


def _declarations(sections: dict[str, Node], told: Told) -> Iterator[Callable[[], list[Token]]]:
    """What makes the tokens of each import and declaration; sections that are none are told."""
    try:
        for item in _list(sections["imports"], "imports") if "imports" in sections else ():
            yield partial(_import, item)
    except DlcError as e:
        told.extend(e.diagnostics)
    for section, word in SECTIONS.items():
        try:
            items = _mapping(sections[section], section).items if section in sections else ()
        except DlcError as e:
            told.extend(e.diagnostics)
            continue
        for key, value in items:
            yield partial(_declaration, word, key, value, told)


def _import(node: Node) -> list[Token]:
    """`std.attention` stands as it is, a path in quotes."""
    text = _text(node, "imports")
    out = [_made("import", text.span)]
    if text.value.endswith((".dl", ".yaml", ".yml")):
        out.append(_string(text))
    else:
        out += _tokens(text)
    return _ended(out)


def _declaration(word: str, key: Text, value: Node, told: Told) -> list[Token]:
    out = [_made(word, key.span), _name(key)]
    if isinstance(value, Text):
        return _ended([*out, _made("=", key.span), *_tokens(value)])
    if isinstance(value, List):
        hint = "put the statements below `body:`"
        raise error("E0131", f"`{key.value}` is a mapping", key.span, found="a list", expected=_KEYS, hint=hint)
    parts = _mapping(value, key.value)
    unknown = _unknown(parts, BLOCK_KEYS)
    told.extend(unknown)
    given = {name.value: part for name, part in parts.items}
    if "hyperparameters" in given:
        out += _hyperparameters(_mapping(given["hyperparameters"], "hyperparameters"), told)
    out += _opened(key.span)
    if "doc" in given:
        text = _text(given["doc"], "doc")
        out += _line([_string(text)])
    if "inputs" in given:
        for name, kind in _mapping(given["inputs"], "inputs").items:
            out += _told(partial(_input, name, kind), name, told)
    if "body" in given:
        out += _statements(given["body"], "body", told)
    if len(out) and out[-1].kind == "INDENT":
        if unknown:
            raise DlcError(())
        raise error("E0131", f"`{key.value}` is empty", key.span, expected="`inputs` and a `body` with an `output`")
    return _ended([*out, _mark("DEDENT", out[-1].span)], line=False)


def _told(make: Callable[[], list[Token]], node: Node, told: Told) -> list[Token]:
    """A statement's tokens. Where it has a mistake, that is told and a statement stands here that says nothing."""
    try:
        return make()
    except DlcError as e:
        told.extend(e.diagnostics)
        name = _made("NAME", node.span)
        name.text = "_"
        return [name, _made("=", node.span), _made("none", node.span), _mark("NEWLINE", node.span)]


def _input(name: Text, kind: Node) -> list[Token]:
    return _line([_made("input", name.span), _name(name), _made(":", name.span), *_value(kind, name.value)])


def _hyperparameters(given: Mapping, told: Told) -> list[Token]:
    out: list[Token] = []
    for name, value in given.items:
        try:
            made = [_name(name), _made(":", name.span), *_value(value, name.value)]
        except DlcError as e:
            told.extend(e.diagnostics)
            continue
        out += [_made("," if out else "(", name.span), *made]
    return [*out, _made(")", out[-1].span)] if out else []


def _statements(node: Node, key: str, told: Told) -> list[Token]:
    out: list[Token] = []
    for item in _list(node, key):
        out += _told(partial(_statement, item, "if", told), item, told)
    return out


def _statement(node: Node, conditional: str, told: Told) -> list[Token]:
    """`conditional`: `elif` for the only statement below an `else`."""
    if not isinstance(node, Mapping) or not node.items:
        expected = "`name: expression` or `output: expression`"
        raise error("E0131", "a statement is a key with a value", node.span, expected=expected, hint=_colon_hint(node))
    (first, value), rest = node.items[0], node.items[1:]
    if first.value in COMPOUND and (rest or first.value in ("for", "if")):  # a lone `step: e` names a value
        return _compound(first, value, rest, conditional, told)
    if rest:
        raise error(
            "E0131",
            "a statement has one key",
            rest[0][0].span,
            found=f"`{first.value}` and `{rest[0][0].value}`",
            hint="start a new item with `- `",
        )
    words = _tokens(first)
    if not isinstance(value, Text):
        expected = f"`{first.value}: expression`, for instance `y: x -> dense(10)`"
        what = "a list" if isinstance(value, List) else "a mapping"
        raise error("E0131", f"`{first.value}` is text in .dl syntax", value.span, found=what, expected=expected)
    return _line([*words, *_join(words), *_value(value, first.value)])


def _colon_hint(node: Node) -> str | None:
    """`- y = x -> relu`, as in .dl."""
    if not isinstance(node, Text):
        return None
    name, equals, value = node.value.partition("=")
    if equals:
        return f"write `- {name.strip()}: {value.strip()}`"
    if "->" in node.value:
        return f"name the value: `- y: {node.value}`"
    word, _, rest = node.value.partition(" ")
    return f"write `- {word}: {rest}`" if word in ("output", "send", "for", "if") and rest else None


def _join(words: Sequence[Token]) -> list[Token]:
    first = words[0].text
    if first == "output" and len(words) == 1:
        return []
    join = JOINS.get(first, "=") if len(words) > 1 or JOINS.get(first) == "" else "="
    return [_made(join, words[-1].span)] if join else []


def _compound(first: Text, value: Node, rest: Sequence[tuple[Text, Node]], conditional: str, told: Told) -> list[Token]:
    word, below = first.value, COMPOUND[first.value]
    allowed = (below, "else") if word == "if" else (below,)
    parts = {key.value: part for key, part in rest}
    for key, _ in rest:
        if key.value not in allowed:
            raise error(
                "E0131",
                f"`{word}` has no `{key.value}`",
                key.span,
                expected=" and ".join(f"`{name}`" for name in allowed),
                hint=did_you_mean(key.value, allowed),
            )
    if below not in parts:
        raise error("E0131", f"`{word}` lacks `{below}`", first.span, expected=f"`{below}:` with a list of statements")
    opening = _made(conditional if word == "if" else word, first.span)
    if word in OPENING_WORDS:
        opening.kind = "NAME"  # `retag` knows it, and the words inside its line
    head = [opening, *_value(value, word)]
    retag(head)
    out = [*head, *_suite(parts[below], below, first.span, told)]
    if "else" in parts:
        out += _else(parts["else"], first.span, told)
    return out


def _else(node: Node, span: Span, told: Told) -> list[Token]:
    items = _list(node, "else")
    only = items[0] if len(items) == 1 else None
    if isinstance(only, Mapping) and only.items and only.items[0][0].value == "if":
        return _statement(only, "elif", told)
    return [_made("else", span), *_suite(node, "else", span, told)]


def _suite(node: Node, key: str, span: Span, told: Told) -> list[Token]:
    body = _statements(node, key, told)
    if not body:
        raise error("E0131", f"`{key}` is empty", node.span, expected="at least one statement")
    return [*_opened(span), *body, _mark("DEDENT", body[-1].span)]


# --- tokens ----------------------------------------------------------------------------------------------------


def _tokens(text: Text) -> list[Token]:
    """The tokens of a text, each at its place in the file."""
    span = text.span
    found = lexer.tokenize(text.raw, span.file, span.line, span.column, lines=False)[:-1]
    if not found:
        raise error("E0131", "nothing stands here", span, expected="an expression")
    return found


def _value(node: Node, key: str) -> list[Token]:
    return _tokens(_text(node, key))


def _name(text: Text) -> Token:
    found = _tokens(text)
    if len(found) != 1 or found[0].kind != "NAME":
        raise error("E0131", f"`{text.value}` is no name", text.span, expected="a name")
    return found[0]


def _string(text: Text) -> Token:
    made = _made("STRING", text.span)
    made.text, made.value = repr(text.value), text.value
    return made


def _made(kind: str, span: Span) -> Token:
    """A token that the YAML form does not spell; it stands where `span` starts or, for signs, ends."""
    if kind.isalpha():
        return Token(kind, kind, span.file, span.line, span.column, span.end_line, span.end_column)
    return Token(kind, kind, span.file, span.end_line, span.end_column, span.end_line, span.end_column + 1)


def _mark(kind: str, span: Span) -> Token:
    return Token(kind, "", span.file, span.end_line, span.end_column, span.end_line, span.end_column + 1)


def _line(tokens: list[Token]) -> list[Token]:
    retag(tokens)
    return [*tokens, _mark("NEWLINE", tokens[-1].span)]


def _opened(span: Span) -> list[Token]:
    return [_made(":", span), _mark("NEWLINE", span), _mark("INDENT", span)]


def _ended(tokens: list[Token], *, line: bool = True) -> list[Token]:
    last = tokens[-1].span
    return [*tokens, *([_mark("NEWLINE", last)] if line else []), _mark(END, last)]


# --- structure -------------------------------------------------------------------------------------------------


def _unknown(mapping: Mapping, keys: Sequence[str]) -> list[Diagnostic]:
    """Keys that are none of `keys`."""
    expected = ", ".join(f"`{name}`" for name in keys)
    return [
        Diagnostic(
            "E0131", f"there is no section `{key.value}`", key.span, expected=expected, hint=_key_hint(key.value, keys)
        )
        for key, _ in mapping.items
        if key.value not in keys
    ]


def _key_hint(key: str, keys: Sequence[str]) -> str | None:
    """`network A:` for the section; `input` for `inputs`."""
    word, _, name = key.partition(" ")
    section = next((section for section, kind in SECTIONS.items() if kind == word), None)
    if name and section in keys:
        return f"write `{section}:`, and `{name}:` below it"
    return did_you_mean(key, keys) or ("the statements stand below `body:`" if "body" in keys else None)


def _text(node: Node, key: str) -> Text:
    if isinstance(node, Text):
        return node
    found = "a list" if isinstance(node, List) else "a mapping"
    shown = "[...]" if isinstance(node, List) else "{...}"
    hint = f'put quotes around it: `{key}: "{shown}"`'
    raise error("E0131", f"`{key}` is text in .dl syntax", node.span, found=found, hint=hint)


def _list(node: Node, key: str) -> tuple[Node, ...]:
    if isinstance(node, List):
        return node.items
    raise error("E0131", f"`{key}` is a list", node.span, expected="items that start with `- `")


def _mapping(node: Node, key: str) -> Mapping:
    if isinstance(node, Mapping):
        return node
    raise error("E0131", f"`{key}` is a mapping", node.span, expected="keys with values")
