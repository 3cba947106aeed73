"""A network of op samples: a branch for each, each operand and result passed on in a line of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dlc.backends.api import Network, Unit
from dlc.ir import BlockId, Equation, Module, Origin, Port, Program, Static, TensorType
from dlc.ops import OPS
from dlc.ops.api import Op, Sample
from dlc.ops.samples import draw
from dlc.spec.source import Span

FILE = "planted.dl"

#: Samples that a backend's framework gets wrong by itself; `test_gaps_are_gaps` holds them to that.
GAPS = {
    "tensorflow": {
        ("conv", "empty batch"): "the result has the shape of the input (oneDNN)",
        ("max_pool", "negative and -inf"): "a window of nothing but -inf gives the lowest finite number on CPU",
    },
}


@dataclass(frozen=True)
class Branches:
    """A unit with one network, its inputs, and what stands where: the op of each line and of each output."""

    unit: Unit
    inputs: dict[str, Any]
    lines: dict[int, str]
    outputs: dict[str, str]


def branches(
    ops: Sequence[str], backend: str = "", most: int | None = None, only: tuple[str, ...] | None = None
) -> Branches:
    """The samples of some ops (at most `most` each, or those named in `only`) without the backend's gaps.

    Branch number i has its op in line 10 i, what leads to it in 10 i - 1, what follows in 10 i + 1
    (a constant's branch ends with it: nothing follows that could take it as a plain number).
    """
    gaps = GAPS.get(backend, {})
    chosen = [
        (OPS[op], sample)
        for op in ops
        for sample in [s for s in OPS[op].samples if (s.name in only if only else (op, s.name) not in gaps)][:most]
    ]
    return branches_of(chosen)


def branches_of(chosen: Sequence[tuple[Op, Sample]]) -> Branches:
    """A branch for each op and sample; result p of number i is the output `y<i>_<p>`, counted from 1."""
    types = [TensorType("float", (2,))]
    ports, inputs = [Port("anchor", 0)], {"anchor": np.ones(2, np.float32)}  # Keras has no networks without inputs
    body: list[Equation] = []
    outputs = [Port("anchored", 0)]
    lines: dict[int, str] = {}
    owners: dict[str, str] = {}

    def value(type_: TensorType) -> int:
        types.append(type_)
        return len(types) - 1

    def write(
        line: int, op: str, given: Sequence[int], results: Sequence[TensorType], **attributes: object
    ) -> list[int]:
        made = [value(type_) for type_ in results]
        statics = tuple((name, Static(one)) for name, one in attributes.items())
        origin = Origin(Span(FILE, line, 5, line, 9), len(body))
        body.append(Equation(op, tuple(given), tuple(made), statics, origin=origin))
        lines[line] = op
        return made

    for number, (op, sample) in enumerate(chosen, 1):
        case = draw(op, sample, "f32")
        given: list[int] = []
        for place, (type_, array) in enumerate(zip(case.types, case.operands, strict=True)):
            ports.append(Port(f"x{number}_{place}", value(type_)))
            inputs[ports[-1].name] = array
            given += write(10 * number - 1, "stop_gradient", [ports[-1].value], [type_])
        results = op.infer(case.types, case.attributes)
        attributes = {name: one for name, one in case.attributes.items() if name != "precision"}
        for place, result in enumerate(write(10 * number, op.name, given, results, **attributes)):
            if case.operands:
                (result,) = write(10 * number + 1, "stop_gradient", [result], [types[result]])
            outputs.append(Port(f"y{number}_{place}", result))
            owners[outputs[-1].name] = op.name
    module = _module(ports, types, body, outputs)
    program = Program("Planted", (module,), module.key)
    return Branches(Unit("planted", "0", None, (Network("Planted", program, program),)), inputs, lines, owners)


def _module(
    inputs: Sequence[Port], types: Sequence[TensorType], body: Sequence[Equation], outputs: Sequence[Port]
) -> Module:
    return Module(
        key="planted",
        block=BlockId(FILE, "Planted"),
        doc=None,
        hyperparameters=(),
        dims=(),
        homes=(),
        training=False,
        inputs=tuple(inputs),
        absent=(),
        parameters=(),
        states=(),
        draws=(),
        instances=(),
        types=tuple(types),
        body=tuple(body),
        outputs=tuple(outputs),
        next_states=(),
        next_buffers=(),
        signature=tuple((port.name, False) for port in inputs),
    )
