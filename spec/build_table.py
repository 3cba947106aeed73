"""Builds `_table.json`, the LALR(1) table of `grammar.lark`: `python -m dlc.spec.build_table`.

lark reads the grammar, expands it and computes the table; any conflict is an error. The parser at run time
(`lalr.py`) only walks the table, so that compiling a network does not import lark.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
GRAMMAR = FOLDER / "grammar.lark"
TABLE = FOLDER / "_table.json"
STARTS = ("head", "declaration", "expr")


def build(grammar: str) -> dict[str, Any]:
    """The table as JSON data.

    - `rules`: [left side, length, action or null] of each rule, by number
    - `states`: for each state {symbol: n}: shift to or continue at state n if n >= 0, else reduce by rule ~n
    - `starts`, `ends`: {start symbol: state}
    """
    from lark import Lark
    from lark.common import ParserConf
    from lark.lexer import Lexer
    from lark.parsers.lalr_analysis import LALR_Analyzer, Shift

    class NoLexer(Lexer):
        def __init__(self, lexer_conf: object) -> None:
            pass

        def lex(self, lexer_state: object, parser_state: object) -> Iterator[Any]:
            return iter(())

    lark: Any = Lark(grammar, parser="lalr", lexer=NoLexer, start=list(STARTS), maybe_placeholders=False)
    spelled = {t.name: t.pattern.value for t in lark.terminals if t.pattern is not None}
    analyzer: Any = LALR_Analyzer(ParserConf(lark.rules, {}, list(STARTS)), debug=False, strict=True)
    analyzer.compute_lalr()
    table = analyzer.parse_table
    numbers = {rule: i for i, rule in enumerate(lark.rules)}

    both = set(spelled.values()) & {rule.origin.name for rule in lark.rules}
    if both:
        raise ValueError(f"both a token and a rule: {sorted(both)}")

    def entry(action: Any, argument: Any) -> int:
        return argument if action is Shift else ~numbers[argument]

    states = [
        {spelled.get(symbol, symbol): entry(*action) for symbol, action in sorted(table.states[i].items())}
        for i in range(len(table.states))
    ]
    order = _reached([table.start_states[start] for start in STARTS], states)
    number = {old: new for new, old in enumerate(order)}
    return {
        "rules": [[r.origin.name, len(r.expansion), r.alias] for r in lark.rules],
        "states": [{s: number[n] if n >= 0 else n for s, n in states[old].items()} for old in order],
        "starts": {start: number[table.start_states[start]] for start in STARTS},
        "ends": {start: number[table.end_states[start]] for start in STARTS},
    }


def _reached(starts: list[int], states: list[dict[str, int]]) -> list[int]:
    """All states in the order in which they are reached; lark's own numbers change from run to run."""
    order = list(starts)
    for state in order:
        order.extend(dict.fromkeys(n for n in states[state].values() if n >= 0 and n not in set(order)))
    return order


def text(grammar: str) -> str:
    """The content of `_table.json` for a grammar."""
    return json.dumps(build(grammar), separators=(",", ":")) + "\n"


if __name__ == "__main__":
    TABLE.write_text(text(GRAMMAR.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{TABLE}: {TABLE.stat().st_size} bytes")
