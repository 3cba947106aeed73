"""`dlc summary FILE`."""

from __future__ import annotations

from typing import Any

from dlc.api import deep_recursion, load
from dlc.cli.choice import choice_of
from dlc.cli.show import print_json
from dlc.summary import summarise


def run(options: Any) -> int:
    found = load(options.file).elaborate(choice_of(options))
    with deep_recursion():
        summaries = [summarise(network) for network in found.unit.networks]
    if options.json:
        print_json(
            {
                "file": options.file,
                "networks": [summary.to_json() for summary in summaries],
                "templates": [{"network": t.name, "missing": list(t.missing)} for t in found.templates],
                "trains": list(found.trains),
            }
        )
        return 0
    parts = [summary.text(options.depth) for summary in summaries]
    parts += [f"{t.name} is a template: it needs {', '.join(t.missing)}" for t in found.templates]
    print("\n\n".join(parts))
    return 0
