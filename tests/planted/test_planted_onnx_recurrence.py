"""What can go wrong where a scan becomes ONNX's own recurrent op: planted one by one, `verify` names the scan's line.

Input and state are of one width, so that no shape gives a mix-up away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from dlc import networks
from dlc.backends.api import Unit
from dlc.backends.onnx.graph import Builder, Value
from dlc.backends.onnx.natives import RECURRENT, Recurrent
from dlc.backends.onnx.recurrence import _Writer  # pyright: ignore[reportPrivateUsage]
from dlc.passes.resolve import load_project
from dlc.verify.report import AGREES, DISAGREES, Case
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers

CELLS = {native.op: key for key, native in RECURRENT.items()}
GATES = {"LSTM": 4, "GRU": 3}
LINE = 6  # of the scan


def unit_of(op: str, options: str, folder: Path) -> Unit:
    """A network that gives all that its scan gives, from states that it is given."""
    states = ["h", "c"] if op == "LSTM" else ["h"]
    starts = ", ".join(f"{state}=first_{state}" for state in states)
    lines = [
        "network Net:",
        "    input x: float[N, T, 4]",
        "    input lengths: int[N] in 0..T + 1",
        "    input first_h: float[N, 4]",
        "    input first_c: float[N, 4]",
        f"    r = scan({CELLS[op][1]}(4){options})(x, {starts})",
        "    output y = r.output",
        *(f"    output last_{state} = r.{state}" for state in states),
    ]
    path = folder / "recurrence.dl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return networks.elaborate(load_project(path)).unit


def cases_of(op: str, options: str, workers: Workers, folder: Path) -> tuple[Case, ...]:
    return verify(unit_of(op, options, folder), ["onnx"], Settings(modes=("inference",)), workers).cases


def require_named(cases: Sequence[Case]) -> None:
    """At one of the sizes, at least, the numbers are seen to be wrong."""
    wrong = [case for case in cases if case.status != AGREES]
    assert wrong
    for case in wrong:
        assert case.status == DISAGREES, f"{case.status} {case.message} {case.detail}"
        assert case.cause is not None
        assert case.cause.span.line == LINE


LENGTHS, REVERSE = ", lengths=lengths", ", reverse=true"
FORMS = ["", LENGTHS, REVERSE, LENGTHS + REVERSE]


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.parametrize("op", CELLS)
def test_control(op: str, options: str, workers: Workers, tmp_path: Path) -> None:
    assert {case.status for case in cases_of(op, options, workers, tmp_path)} == {AGREES}


# --- a wrong entry of the table --------------------------------------------------------------------------------------


def swapped(native: Recurrent, one: int, other: int) -> Recurrent:
    gates = list(native.gates)
    gates[one], gates[other] = gates[other], gates[one]
    return replace(native, gates=tuple(gates))


ENTRIES: list[tuple[str, str, Callable[[Recurrent], Recurrent]]] = [
    *(
        (op, f"gates {one} and {other} swapped", lambda native, one=one, other=other: swapped(native, one, other))
        for op, count in GATES.items()
        for one, other in combinations(range(count), 2)
    ),
    ("GRU", "the reset before the product", lambda native: replace(native, attributes={})),
    ("GRU", "no recurrent bias", lambda native: replace(native, recurrent_bias="")),
    *(
        (
            op,
            "the weights of input and state swapped",
            lambda native: replace(native, input_weight=native.state_weight, state_weight=native.input_weight),
        )
        for op in CELLS
    ),
    ("RNN", "another activation", lambda native: replace(native, attributes={"activations": ("Relu",)})),
    ("LSTM", "input and forget gate coupled", lambda native: replace(native, attributes={"input_forget": 1})),
    ("LSTM", "clipped", lambda native: replace(native, attributes={"clip": 0.1})),
]


@pytest.mark.parametrize(("op", "make"), [pytest.param(op, make, id=f"{op}: {what}") for op, what, make in ENTRIES])
def test_a_wrong_entry(op: str, make: Any, workers: Workers, tmp_path: Path) -> None:
    with mock.patch.dict(RECURRENT, {CELLS[op]: make(RECURRENT[CELLS[op]])}):  # type: ignore[arg-type]
        require_named(cases_of(op, "", workers, tmp_path))


# --- a wrong node ----------------------------------------------------------------------------------------------------

Operands, Attributes = list[Value | None], dict[str, Any]
Results = list[Value]


@contextmanager
def changed(
    operands: Callable[[Operands], None] = lambda given: None,
    attributes: Callable[[Attributes], object] = lambda given: None,
    results: Callable[[Results], None] = lambda given: None,
) -> Iterator[None]:
    """Each recurrent node is changed when it is made."""
    right = Builder.many

    def many(
        self: Builder, op: str, inputs: Sequence[Value | None], hints: Sequence[str], given: Any = None, **more: Any
    ) -> list[Value]:
        if op not in CELLS:
            return right(self, op, inputs, hints, given, **more)
        kept, held = list(inputs), dict(given)
        operands(kept)
        attributes(held)
        found = list(right(self, op, kept, hints, held, **more))
        results(found)
        return found

    with mock.patch.object(Builder, "many", many):
        yield


def dropped(place: int) -> Callable[[Operands], None]:
    return lambda given: given.__setitem__(place, None)


def exchanged(one: int, other: int) -> Callable[[list[Any]], None]:
    def change(given: list[Any]) -> None:
        given[one], given[other] = given[other], given[one]

    return change


NODES: list[tuple[Sequence[str], str, str, dict[str, Any]]] = [
    (tuple(CELLS), "lengths dropped", LENGTHS, {"operands": dropped(4)}),
    (tuple(CELLS), "lengths dropped, reversed", LENGTHS + REVERSE, {"operands": dropped(4)}),
    (tuple(CELLS), "bias dropped", "", {"operands": dropped(3)}),
    (tuple(CELLS), "first h dropped", "", {"operands": dropped(5)}),
    (("LSTM",), "first c dropped", "", {"operands": dropped(6)}),
    (("LSTM",), "first h and c swapped", "", {"operands": exchanged(5, 6)}),
    (("LSTM",), "last h and c swapped", "", {"results": exchanged(1, 2)}),
    (tuple(CELLS), "not reversed", REVERSE, {"attributes": lambda given: given.pop("direction")}),
    (tuple(CELLS), "not reversed, lengths", LENGTHS + REVERSE, {"attributes": lambda given: given.pop("direction")}),
    (tuple(CELLS), "reversed", LENGTHS, {"attributes": lambda given: given.update(direction="reverse")}),
]


@pytest.mark.parametrize(
    ("op", "options", "change"),
    [pytest.param(op, options, change, id=f"{op}: {what}") for ops, what, options, change in NODES for op in ops],
)
def test_a_wrong_node(op: str, options: str, change: dict[str, Any], workers: Workers, tmp_path: Path) -> None:
    with changed(**change):
        require_named(cases_of(op, options, workers, tmp_path))


# --- wrong code around it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [LENGTHS, LENGTHS + REVERSE])
@pytest.mark.parametrize("op", CELLS)
def test_the_last_state_of_an_empty_row(op: str, options: str, workers: Workers, tmp_path: Path) -> None:
    """ONNX Runtime gives 0: the state that the row started with must be put back."""
    right = _Writer._final  # pyright: ignore[reportPrivateUsage]

    def final(self: _Writer, b: Builder, given: Any, last: Any) -> list[Value]:
        return right(self, b, {name: value for name, value in given.items() if name != "lengths"}, last)

    with mock.patch.object(_Writer, "_final", final):
        require_named(cases_of(op, options, workers, tmp_path))


@pytest.mark.parametrize("op", ["GRU"])
def test_the_biases_halves_swapped(op: str, workers: Workers, tmp_path: Path) -> None:
    right = _Writer._biases  # pyright: ignore[reportPrivateUsage]

    def biases(self: _Writer, b: Builder, given: Any) -> Value:
        whole = right(self, b, given)
        halves = b.many("Split", [whole], ["one", "other"], {"axis": 0, "num_outputs": 2})
        return b("Concat", *reversed(halves), axis=0)

    with mock.patch.object(_Writer, "_biases", biases):
        require_named(cases_of(op, "", workers, tmp_path))
