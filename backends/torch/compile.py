"""From a unit to the artifact."""

from __future__ import annotations

import json

from dlc.backends.api import Artifact, Network, Options, Unit
from dlc.backends.common.improved import with_improvements
from dlc.backends.common.optimised import refuse_optimize
from dlc.backends.common.starts import starts
from dlc.backends.common.told import unknowns_told
from dlc.backends.torch.file import TorchFile


def compile_unit(unit: Unit, options: Options) -> Artifact:
    """The generated file, and per network what the runner needs to run it."""
    refuse_optimize("torch", options)
    return with_improvements(unit, lambda one: _compiled(one, options))


def _compiled(unit: Unit, options: Options) -> Artifact:
    with unknowns_told("torch"):
        file = TorchFile(unit, options)
        text = file.print()
    path = f"{unit.stem}_torch.py"
    entries = {network.name: _entry(file, network, place, path) for place, network in enumerate(unit.networks)}
    return Artifact({path: text}, entries)


def _entry(file: TorchFile, network: Network, place: int, path: str) -> str:
    folded = file.folding.entry(2 * place)
    assert folded.form is not None
    form = folded.form
    module = network.inference.table[network.inference.entry]
    optional = {word for word, maybe in form.inputs if maybe}
    required = [word for word, _ in form.inputs if word not in optional]
    return json.dumps(
        {
            "file": path,
            "factory": file.factories.get(network.name, file.names[folded.index]),
            "inputs": [*required, *form.states],
            "optional": [word for word in sorted(optional) if word not in module.absent],
            "outputs": [word for word, _ in form.outputs],
            "states": [word for word, _ in form.next_states],
            "renamed": dict(sorted(file.renamed.items())),
            "starts": starts(module),
            "dtypes": {port.name: module.types[port.value].dtype for port in (*module.inputs, *module.states)},
        },
        sort_keys=True,
    )
