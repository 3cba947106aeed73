"""The interpreter with a wrong native form of the standard library's dense: it forgets the bias."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dlc.backends.reference import runner
from dlc.backends.reference.interpreter import Interpreter


def without_bias(module):
    if module.block.name != "dense" or not module.block.standard:
        return module
    *body, last = module.body
    return replace(module, body=(*body, replace(last, op="stop_gradient", inputs=last.inputs[:1])))


class Forgetful(Interpreter):
    def __init__(self, program, *arguments, **options):
        changed = replace(program, modules=tuple(map(without_bias, program.modules)))
        super().__init__(changed, *arguments, **options)


class Runner(runner.Runner):
    def load(self, folder, entry, weights, precision):
        natives = (Path(folder) / "natives.txt").read_text() == "True"
        runner.Interpreter = Forgetful if natives else Interpreter
        super().load(folder, entry, weights, precision)
