"""`dlc explain [CODE ...]`: what a code means, an example that gives it, how to mend it."""

from __future__ import annotations

import sys
from typing import Any

from dlc.cli.show import print_json
from dlc.diagnostics import did_you_mean, error
from dlc.explain import Page, all_pages, plain


def run(options: Any) -> int:
    """Shows the sections of the codes given, or lists all codes."""
    known = {page.code: page for page in all_pages()}
    chosen = [_page(known, code) for code in options.codes]
    if options.json:
        print_json([{"code": p.code, "title": p.title, "text": p.text} for p in chosen or known.values()])
    elif chosen:
        sys.stdout.write("\n".join(map(plain, chosen)))
    else:
        sys.stdout.writelines(f"{page.code}  {page.title}\n" for page in known.values())
    return 0


def _page(known: dict[str, Page], code: str) -> Page:
    page = known.get(code.upper())
    if page is None:
        hint = did_you_mean(code.upper(), list(known)) or "`dlc explain` lists them"
        raise error("E0901", f"there is no code `{code}`", expected="for instance E0401", hint=hint, exit_code=2)
    return page
