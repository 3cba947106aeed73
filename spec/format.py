"""`dlc fmt` of .dl files: the canonical text of each statement, with the file's comments, blank lines and broken pipes.

- A comment on a line of its own stays before what follows it, at its indentation; at the end of a body it belongs to
  that body where it is indented as deep. A comment at the end of a line stays there; one inside a statement of several
  lines goes before the statement.
- One blank line is kept where there are any, but none at the start of a body; two stand around blocks.
- A pipe that is written on several lines stays so. A line that is too long is broken before `->`, else inside its
  longest bracket.

Formatting what it gives changes nothing, and the tree stays the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlc.spec import syntax as s
from dlc.spec.comments import Comment, comments_of
from dlc.spec.print_statements import block_header, constant_line, doc_lines, import_line, statement_lines
from dlc.spec.printer import print_expression as show
from dlc.spec.source import Source
from dlc.spec.wrap import INDENT, fill, wrap

_ELSE = re.compile(r"\s*else\s*:")
_END = 10**9


def format_source(source: Source, spec: s.Spec) -> str:
    """The canonical text of a file that reads as `spec`."""
    return _Formatter(source).file(spec)


def _ends(nodes: Sequence[s.Import | s.Declaration | s.Statement], end: int) -> list[int]:
    """Where what belongs to each node ends: the line of the next one."""
    return [*(node.span.line for node in nodes[1:]), end][: len(nodes)]


class _Formatter:
    def __init__(self, source: Source) -> None:
        self.lines = source.lines
        self.comments = comments_of(source.text)
        self.at = 0  # the next comment
        self.out: list[str] = []
        self.fresh = True  # nothing stands in this body yet: no blank line

    def file(self, spec: s.Spec) -> str:
        if spec.doc is not None:
            start = self._doc_line(1)
            self._own_comments(start, "")
            self._add(doc_lines(spec.doc, ""), start)
            self._trailing(start)
            self.fresh = True
        previous: s.Import | s.Declaration | None = None
        nodes = (*spec.imports, *spec.declarations)
        for node, end in zip(nodes, _ends(nodes, _END), strict=True):
            self._gap(previous, node, documented=spec.doc is not None)
            self._declaration(node, end)
            previous = node
        self._end(previous)
        return "\n".join(self.out).strip("\n") + "\n"

    # --- declarations ----------------------------------------------------------------------------------------------

    def _gap(self, previous: s.Import | s.Declaration | None, node: s.Import | s.Declaration, documented: bool) -> None:
        """Blank lines before a declaration and the comments above it."""
        if previous is None:
            count = 1 if documented else 0
        elif isinstance(previous, s.Block) or (isinstance(node, s.Block) and not isinstance(previous, s.Import)):
            count = 2
        elif type(previous) is type(node):
            count = 0
        else:
            count = 1
        if previous is not None:
            self._own_comments(node.span.line, "", inside=previous)
        self.out += [""] * count
        self.fresh = count > 0 or previous is None
        self._own_comments(node.span.line, "")

    def _declaration(self, node: s.Import | s.Declaration, end: int) -> None:
        if isinstance(node, s.Import):
            self._simple([import_line(node)], node.span.line, node.span.end_line, "")
        elif isinstance(node, s.Configuration):
            line = constant_line(node)
            self._simple(wrap(line, ""), node.span.line, node.span.end_line, "")
        else:
            self._block(node, end)

    def _block(self, node: s.Block, end: int) -> None:
        first = node.body[0].span.line if node.body else _END
        body_line = self._doc_line(node.name_span.line + 1) if node.doc is not None else first
        header_end = self._header_end(node.span.line, body_line)
        self._simple(wrap(block_header(node), ""), node.span.line, header_end, "", fresh=True)
        if node.doc is not None:
            self._own_comments(body_line, INDENT)
            self._add(doc_lines(node.doc, INDENT), body_line)
            self._trailing(self._doc_end(body_line))
        self._body(node.body, INDENT, end, 0)

    def _end(self, previous: s.Import | s.Declaration | None) -> None:
        """Comments at the end of the file."""
        left = self.comments[self.at :]
        if left and previous is not None and isinstance(previous, s.Block):
            self.out += ["", ""]
            self.fresh = True
        self._own_comments(_END, "")

    # --- bodies and statements -------------------------------------------------------------------------------------

    def _body(self, body: Sequence[s.Statement], indent: str, end: int, column: int) -> None:
        """The statements of a body, which ends before line `end`; `column` is the indentation of its head."""
        for node, following in zip(body, _ends(body, end), strict=True):
            self._own_comments(node.span.line, indent)
            self._statement(node, indent, following)
        while self.at < len(self.comments):
            comment = self.comments[self.at]
            if comment.line >= end or comment.column - 1 <= column or not comment.own:
                break
            self._comment(comment, indent)

    def _statement(self, node: s.Statement, indent: str, end: int) -> None:
        column = node.span.column - 1
        match node:
            case s.For(body=body) | s.Messages(body=body):
                self._head(node.span.line, statement_lines(node, indent)[0], body, indent)
                self._body(body, indent + INDENT, end, column)
            case s.TrainStatement(body=body) if body:
                self._head(node.span.line, statement_lines(node, indent)[0], body, indent)
                self._body(body, indent + INDENT, end, column)
            case s.If():
                self._if(node, indent, end)
            case _:
                lines = self._laid_out(node, indent)
                self._simple(lines, node.span.line, node.span.end_line, indent)

    def _if(self, node: s.If, indent: str, end: int) -> None:
        column = node.span.column - 1
        starts = [node.span.line, *(self._back_to("elif", test.span.line) for test, _ in node.arms[1:])]
        if node.orelse:
            starts.append(self._else_line(node.arms[-1][1][-1].span.end_line, node.orelse[0].span.line))
        for i, (test, body) in enumerate(node.arms):
            if i:
                self._own_comments(starts[i], indent)
            self._head(starts[i], f"{indent}{'elif' if i else 'if'} {show(test)}:", body, indent)
            following = starts[i + 1] if i + 1 < len(starts) else end
            self._body(body, indent + INDENT, following, column)
        if node.orelse:
            self._own_comments(starts[-1], indent)
            self._head(starts[-1], f"{indent}else:", node.orelse, indent)
            self._body(node.orelse, indent + INDENT, end, column)

    def _head(self, line: int, text: str, body: Sequence[s.Statement], indent: str) -> None:
        self._simple(wrap(text, indent), line, self._header_end(line, body[0].span.line), indent, fresh=True)

    def _laid_out(self, node: s.Statement, indent: str) -> list[str]:
        """A simple statement: on one line, its pipe on several, or its longest bracket opened."""
        (line,) = statement_lines(node, indent)
        value = node.value if isinstance(node, s.Assign | s.Output | s.NextAssign | s.Send) else None
        if not isinstance(value, s.Pipe):
            return wrap(line, indent)
        stages: list[s.Expr] = []
        start: s.Expr = value
        while isinstance(start, s.Pipe):
            stages.append(start.target)
            start = start.value
        stages.reverse()
        first = line[: len(line) - len(show(value))] + show(s.Pipe(start, s.Name("f"))).removesuffix(" -> f")
        lines: list[str] = []
        current, before = [first], start
        rows = [current]
        for stage in stages:
            if stage.span.line > before.span.end_line:
                current = list[str]()
                rows.append(current)
            current.append(show(s.Pipe(s.Name("f"), stage)).removeprefix("f "))
            before = stage
        deeper = indent + INDENT
        for i, row in enumerate(rows):
            lines += fill(row[0], row[1:], deeper) if i == 0 else fill(deeper, row, deeper)
        return [part for one in lines for part in wrap(one, deeper if one is not lines[0] else indent)]

    # --- lines and comments ----------------------------------------------------------------------------------------

    def _simple(self, lines: list[str], start: int, end: int, indent: str, *, fresh: bool = False) -> None:
        """A statement or head that stands on the source's lines `start` to `end`, with the comments on these."""
        inside: list[Comment] = []
        while self.at < len(self.comments) and self.comments[self.at].line <= end:
            inside.append(self.comments[self.at])
            self.at += 1
        last = inside.pop() if inside and not inside[-1].own and inside[-1].line == end else None
        self._blank(start)
        self.out += [f"{indent}{comment.text}" for comment in inside]
        self.out += lines
        if last is not None:
            self.out[-1] += f"  {last.text}"
        self.fresh = fresh

    def _add(self, lines: list[str], start: int) -> None:
        self._blank(start)
        self.out += lines
        self.fresh = False

    def _trailing(self, line: int) -> None:
        """The comment behind a docstring that ends on `line`."""
        if self.at < len(self.comments) and not self.comments[self.at].own and self.comments[self.at].line <= line:
            self.out[-1] += f"  {self.comments[self.at].text}"
            self.at += 1

    def _own_comments(self, before: int, indent: str, *, inside: s.Import | s.Declaration | None = None) -> None:
        """The comments above line `before`; with `inside` those that belong to the declaration above only."""
        while self.at < len(self.comments) and self.comments[self.at].line < before:
            comment = self.comments[self.at]
            if inside is not None and (comment.column == 1 or not isinstance(inside, s.Block)):
                return
            self._comment(comment, indent if inside is None else INDENT)

    def _comment(self, comment: Comment, indent: str) -> None:
        self._blank(comment.line)
        self.out.append(f"{indent}{comment.text}")
        self.at += 1
        self.fresh = False

    def _blank(self, line: int) -> None:
        """One blank line where the source has one above `line`."""
        above = self.lines[line - 2] if 2 <= line <= len(self.lines) + 1 else "x"
        if not self.fresh and not above.strip() and self.out and self.out[-1]:
            self.out.append("")

    # --- places that the tree does not hold ------------------------------------------------------------------------

    def _doc_line(self, start: int) -> int:
        """The line of the docstring at or after line `start`."""
        quoted = (i for i in range(start, len(self.lines) + 1) if self.lines[i - 1].lstrip()[:1] in ('"', "'"))
        return next(quoted, start)

    def _doc_end(self, start: int) -> int:
        following = [c.line for c in self.comments[self.at :] if not c.own]
        return following[0] if following and self._is_string_end(start, following[0]) else start

    def _is_string_end(self, start: int, line: int) -> bool:
        """Whether only the docstring that starts on line `start` stands before the comment on `line`."""
        text = "\n".join(self.lines[start - 1 : line])
        body = text.lstrip()
        quote = body[:3] if body[:3] in ('"""', "'''") else body[:1]
        end = body.find(quote, len(quote))
        return end >= 0 and body[end + len(quote) :].lstrip().startswith("#")

    def _header_end(self, start: int, body: int) -> int:
        """The last line of a head that starts on line `start`, above the first line of its body."""
        for line in range(start, min(body, len(self.lines) + 1)):
            own = [c for c in self.comments if c.line == line]
            text = self.lines[line - 1]
            code = text[: own[0].column - 1] if own else text
            if code.rstrip().endswith(":"):
                return line
        return start

    def _back_to(self, word: str, line: int) -> int:
        while line > 1 and not self.lines[line - 1].lstrip().startswith(word):
            line -= 1
        return line

    def _else_line(self, after: int, before: int) -> int:
        found = (i for i in range(after + 1, before + 1) if _ELSE.match(self.lines[i - 1]))
        return next(found, before)
