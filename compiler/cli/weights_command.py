"""`dlc weights FILE -o w.safetensors`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlc.api import load, parameters_of
from dlc.cli.choice import choice_of
from dlc.cli.show import Told
from dlc.diagnostics import error
from dlc.output import prepare
from dlc.weights import initial, write


def run(options: Any) -> int:
    """One file per network; with -o there must be one network only."""
    told = Told(json=options.json)
    networks = load(options.file).elaborate(choice_of(options)).unit.networks
    if options.output is not None and len(networks) != 1:
        names = ", ".join(network.name for network in networks) or "no network"
        raise error(
            "E0901", "-o names the file of one network", found=names, hint="choose one with --network", exit_code=2
        )
    for network in networks:
        path = Path(options.output or f"{network.name}.safetensors")
        parameters = parameters_of(network)
        prepare(path.parent, [path.name])
        write(path, parameters, initial(options.seed))
        told.say(f"wrote {path} ({len(parameters)} tensors of {network.name}, seed {options.seed})")
    return told.end()
