"""`dlc fmt FILE...`: the canonical form of specs, .dl or YAML, and from one to the other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from dlc.api import deep_recursion
from dlc.diagnostics import error
from dlc.output import write_files
from dlc.spec.loader import load
from dlc.spec.parser import YAML, parse
from dlc.spec.printer import print_spec
from dlc.spec.syntax import Spec


def run(options: Any) -> int:
    """Prints the files, or with --write rewrites them, or with --check only tells whether they would change."""
    if options.check and options.write:
        raise error("E0901", "--check and --write exclude each other", exit_code=2)
    if options.to and (options.check or options.write):
        raise error("E0901", "--to prints; it goes with neither --check nor --write", exit_code=2)
    code = 0
    for path in options.files:
        source = load(path)
        with deep_recursion():
            text = _printed(parse(source), yaml=options.to == "yaml" if options.to else path.endswith(YAML))
        changes = text != source.text
        if options.check and changes:
            print(f"{path} would change")
            code = 1
        elif options.write and changes:
            _rewrite(Path(path), source.text, text)
        elif not options.check and not options.write:
            sys.stdout.write(text)
    return code


def _printed(spec: Spec, *, yaml: bool) -> str:
    if not yaml:
        return print_spec(spec)
    from dlc.spec.yaml_printer import print_yaml

    return print_yaml(spec)


def _rewrite(path: Path, before: str, after: str) -> None:
    if _comments(before):
        raise error(
            "E0902",
            f"{path} has comments, which the canonical form does not keep",
            hint=f"look at `dlc fmt {path}` and take over what you like",
        )
    write_files(path.parent, {path.name: after})
    print(f"wrote {path}")


def _comments(text: str) -> bool:
    """Whether a `#` stands outside of strings."""
    import re

    quoted = r'"""(?:[^\\]|\\.)*?"""' + r'|"(?:[^"\\\n]|\\.)*"'
    return "#" in re.sub(quoted, "", text, flags=re.DOTALL)
