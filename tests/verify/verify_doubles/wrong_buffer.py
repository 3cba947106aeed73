"""The interpreter, but a training step leaves buffers as they are, and says so."""

from __future__ import annotations

from dlc.backends.reference import runner


class Runner(runner.Runner):
    def run(self, inputs, training):
        found = super().run(inputs, training)
        start = self._modes[training].initial
        return {n: start[n.removeprefix("buffer ")] if n.startswith("buffer ") else v for n, v in found.items()}
