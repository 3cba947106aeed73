"""`dlc graph FILE -o net.svg`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlc.api import deep_recursion, load
from dlc.cli.choice import choice_of
from dlc.diagnostics import did_you_mean, error
from dlc.graph import draw
from dlc.graph.opening import ALL
from dlc.graph.picture import Picture, check_ending
from dlc.networks import Elaborated


def run(options: Any) -> int:
    """One file per network; with -o there must be one network only."""
    if options.output is not None:
        check_ending(Path(options.output))
    found = load(options.file).elaborate(choice_of(options))
    networks = found.unit.networks
    if options.output is not None and len(networks) != 1:
        names = ", ".join(network.name for network in networks) or "no network"
        raise error(
            "E0901", "-o names the file of one network", found=names, hint="choose one with --network", exit_code=2
        )
    _check_names(found, options.expand)
    with deep_recursion():
        for network in networks:
            picture = Picture(draw(network, options.depth, options.expand, turns=options.turns))
            print(f"wrote {picture.write(options.output or f'{network.name}.svg')}")
    for template in found.templates if options.output is None else ():
        print(f"skipped {template.name}: a template, it needs {', '.join(template.missing)} (--set name=value)")
    return 0


def _check_names(found: Elaborated, expand: list[str]) -> None:
    programs = [network.inference for network in found.unit.networks]
    known = {module.block.name for program in programs for module in program.modules} | {ALL}
    for name in expand:
        if name not in known:
            message = f"--expand names the block `{name}`, which is not used here"
            raise error("E0901", message, hint=did_you_mean(name, sorted(known)), exit_code=2)
