"""`dlc fmt FILE...`: the canonical form of specs, .dl or YAML, and from one to the other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from dlc.api import deep_recursion
from dlc.cli.show import print_json
from dlc.diagnostics import error
from dlc.output import write_files
from dlc.spec.format import format_source
from dlc.spec.loader import load
from dlc.spec.parser import YAML, parse
from dlc.spec.printer import print_spec
from dlc.spec.source import Source


def run(options: Any) -> int:
    """Prints the files, or with --write rewrites them, or with --check only tells whether they would change."""
    if options.check and options.write:
        raise error("E0901", "--check and --write exclude each other", exit_code=2)
    if options.to and (options.check or options.write):
        raise error("E0901", "--to prints; it goes with neither --check nor --write", exit_code=2)
    told: list[dict[str, Any]] = []
    for path in options.files:
        source = load(path)
        with deep_recursion():
            text = _printed(source, options.to)
        changes = text != source.text
        told.append({"path": path, "changes": changes, "text": text})
        if options.write and changes:
            _rewrite(Path(path), source, text)
        if not options.json:
            _say(path, text, changes, options)
    code = 1 if options.check and any(one["changes"] for one in told) else 0
    if options.json:
        print_json({"exit_code": code, "diagnostics": [], "files": told})
    return code


def _say(path: str, text: str, changes: bool, options: Any) -> None:
    if not options.check and not options.write:
        sys.stdout.write(text)
    elif changes:
        print(f"wrote {path}" if options.write else f"{path} would change")


def _printed(source: Source, to: str | None) -> str:
    """The file in its own form with its comments, or in the other form without."""
    spec = parse(source)
    is_yaml = source.name.endswith(YAML)
    if to == "yaml" or (to is None and is_yaml):
        from dlc.spec.yaml_printer import print_yaml

        return print_yaml(spec)
    if is_yaml:
        source = Source(f"{source.name}.dl", print_spec(spec))
        spec = parse(source)
    return format_source(source, spec)


def _rewrite(path: Path, source: Source, text: str) -> None:
    if source.name.endswith(YAML) and _has_comments(source.text):
        raise error(
            "E0902",
            f"{path} has comments, which the canonical form of YAML does not keep",
            hint=f"look at `dlc fmt {path}` and take over what you like",
        )
    write_files(path.parent, {path.name: text})


def _has_comments(text: str) -> bool:
    """Whether YAML would read a `#` as the start of a comment."""
    import yaml

    events = [e for e in yaml.parse(text, Loader=yaml.SafeLoader) if isinstance(e, yaml.ScalarEvent)]
    inside = sum(text[e.start_mark.index : e.end_mark.index].count("#") for e in events)
    return text.count("#") > inside
