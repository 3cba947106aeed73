from __future__ import annotations

from dlc.diagnostics import DlcError, error
from dlc.spec.lalr import Unexpected
from dlc.spec.token import Token


def explain(e: Unexpected, tokens: list[Token]) -> DlcError:
    return error("E0101", f"unexpected {e.token.kind}", e.token.span, expected=" ".join(sorted(e.expected)))
