"""The reference backend: the program itself, run by a NumPy interpreter. It is the oracle of `dlc verify`."""

from __future__ import annotations

from dlc.backends.api import Artifact, Options, Unit


class ReferenceBackend:
    """Writes the typed program of every network, in both modes, as text (`dlc.ir_text`)."""

    name = "reference"
    needs: tuple[str, ...] = ()
    install = "pip install dlc"
    runner = "dlc.backends.reference.runner"
    #: Module of the interpreter that `verify` measures all backends against.
    interpreter = "dlc.backends.reference.interpreter"

    def compile(self, unit: Unit, options: Options) -> Artifact:
        from dlc.backends.common.optimised import refuse_optimize
        from dlc.ir_text import show

        refuse_optimize(self.name, options)
        file = f"{unit.stem}_reference.ir"
        texts = [show(program) for network in unit.networks for program in (network.inference, network.training)]
        return Artifact({file: "\n".join(texts)}, {network.name: f"{file}:{network.name}" for network in unit.networks})


backend = ReferenceBackend()
