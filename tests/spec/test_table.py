"""The table in the package is the one of the grammar beside it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from dlc.spec import build_table
from dlc.spec.actions import ACTIONS
from dlc.spec.lalr import load_table
from lark.exceptions import GrammarError


def test_table_is_up_to_date() -> None:
    text = build_table.text(build_table.GRAMMAR.read_text(encoding="utf-8"))
    assert build_table.TABLE.read_text(encoding="utf-8") == text, "run python -m dlc.spec.build_table"


def test_a_conflict_is_an_error() -> None:
    ambiguous = "%declare NAME\nhead: NAME\ndeclaration: NAME\nexpr: NAME | expr expr\n"
    with pytest.raises(GrammarError, match="conflict"):
        build_table.build(ambiguous)


def test_every_alias_has_its_action_and_every_action_its_rule() -> None:
    rules = load_table().rules
    names = {alias or name for name, _, alias in rules}
    assert {alias for _, _, alias in rules if alias} <= ACTIONS.keys()
    assert ACTIONS.keys() <= names


def test_parsing_imports_neither_lark_nor_numpy() -> None:
    code = (
        "import sys; from dlc.spec.parser import parse_expression as p; p('x -> f', 'e');"
        "print(sorted({'lark', 'numpy', 'pydantic', 'yaml', 'rich'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
