"""torch's fused recurrences for scans over the standard cells: which scans take them, and that these mean the cell."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch
from dlc.backends.api import Options
from dlc.backends.torch import backend
from dlc.backends.torch.natives import recurrence
from dlc.ir import BlockId, Lane, Scan, Static
from dlc.spec.record import replace
from dlc.verify.run import Settings, verify
from torch_models import imported, require_ruff_clean, unit_of, write

CELLS = {"rnn_cell": "rnn", "lstm_cell": "lstm", "gru_cell": "gru"}
#: The scan, and whether it is fused. One network each.
FORMS = {
    "Plain": ("scan({cell})(x)", True),
    "Back": ("scan({cell}, reverse=true)(x)", True),
    "Started": ("scan({cell})(x, h=start)", True),
    "Late": ("scan({cell}, axis=1)(x[:, 1:])", True),
    "Rows": ("scan({cell}, lengths=lengths)(x)", False),
    "First": ("scan({cell}, axis=0)(transpose(x, [1, 0, 2]))", False),
}
NETWORK = """
network {name}:
    input x: float[N, T, 3]
    input lengths: int[N] in 0..T + 1
    input start: float[N, 5]
    r = {form}
    output y = r.output + mean(start) + float(mean(lengths))
    output h = r.h


network {name}Last:
    input x: float[N, T, 3]
    input lengths: int[N] in 0..T + 1
    input start: float[N, 5]
    r = {form}
    output r.h + mean(start) + float(mean(lengths))


"""
STACKED = """

network Stacked:
    input x: float[N, T, 3]
    r = x -> {cell}(5, layers=2, two_way=true)
    output r.output
    output h = r.h
"""


def text(cell: str) -> str:
    forms = {name: form.format(cell=f"{cell}(5)") for name, (form, _) in FORMS.items()}
    parts = [NETWORK.format(name=name, form=form) for name, form in forms.items()]
    return "".join(parts) + STACKED.format(cell=CELLS[cell])


def module(cell: str, folder: Path, natives: bool) -> ModuleType:
    (file,) = write(backend.compile(unit_of(folder, text(cell)), Options(natives=natives)).files, folder)
    require_ruff_clean(file)
    return imported(file)


@pytest.mark.parametrize("cell", CELLS)
def test_values_and_gradients_are_those_of_the_loop(cell: str, tmp_path: Path) -> None:
    """Of the input, the start and all weights; a second bias would double one of them."""
    fused, plain = module(cell, tmp_path, natives=True), module(cell, tmp_path, natives=False)
    torch.manual_seed(1)
    x, start = torch.randn(2, 4, 3), torch.randn(2, 5)
    lengths = torch.tensor([3, 2])
    for name in (*FORMS, *(f"{name}Last" for name in FORMS), "Stacked"):
        one, other = getattr(fused, name)(), getattr(plain, name)()
        other.load_state_dict(one.state_dict())
        results: list[list[torch.Tensor]] = []
        for model in (one, other):
            leaves = [x.clone().requires_grad_(), start.clone().requires_grad_()]
            given = (leaves[0],) if name == "Stacked" else (leaves[0], lengths, leaves[1])
            made = model(*given)
            made = made if isinstance(made, tuple) else (made,)
            sum((value * value.detach().cos()).sum() for value in made).backward()
            grads = [leaf.grad for leaf in (*leaves, *model.parameters()) if leaf.grad is not None]
            results.append([*made, *grads])
        assert len(results[0]) == len(results[1])
        for found, wanted in zip(*results, strict=True):
            torch.testing.assert_close(found, wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("precision", ["f32", "f64", "bf16", "f16"])
def test_agrees_with_the_reference(precision: str, tmp_path: Path) -> None:
    """torch has the fused forms for all widths."""
    text = "".join(STACKED.replace("Stacked", f"Stacked{word}").format(cell=word) for word in CELLS.values())
    report = verify(unit_of(tmp_path, text), ["torch"], Settings(sizes=1, precision=precision))
    assert {case.status for case in report.cases} == {"agrees"}


@pytest.mark.parametrize("cell", CELLS)
def test_where_it_is_used(cell: str, tmp_path: Path) -> None:
    helper = recurrence.RECURRENT[cell].helper
    for name, (form, is_fused) in FORMS.items():
        one = NETWORK.format(name=name, form=form.format(cell=f"{cell}(5)"))
        (code,) = backend.compile(unit_of(tmp_path, one), Options()).files.values()
        assert isinstance(code, str)
        assert (f"= {helper}(" in code, "for t in" in code) == (is_fused, not is_fused), f"{name}:\n{code}"


INSIDE = Scan(0, "cell#1", (Lane("x", 1),), (), (Lane("output", 1),), Static(3))
OUTSIDE = {
    "takes_x": (
        replace(INSIDE, scanned=(), captured=("x",)),
        replace(INSIDE, captured=("prepared",)),
        replace(INSIDE, scanned=(Lane("x", 1), Lane("prepared", 1))),
    ),
    "over_axis_1": (replace(INSIDE, scanned=(Lane("x", 0),)), replace(INSIDE, stacked=(Lane("output", 0),))),
    "has_no_lengths": (replace(INSIDE, has_lengths=True),),
}


@pytest.mark.parametrize("cell", CELLS)
def test_each_condition_counts(cell: str) -> None:
    block = BlockId("std/recurrence.dl", cell)
    native = recurrence.fused(INSIDE, block)
    assert native is not None
    assert {condition.__name__ for condition in native.when} == set(OUTSIDE)
    for word, scans in OUTSIDE.items():
        for scan in scans:
            failing = [condition.__name__ for condition in native.when if not condition(scan)]
            assert failing == [word]
            assert recurrence.fused(scan, block) is None
    assert recurrence.fused(INSIDE, BlockId("mine.dl", cell)) is None
    assert recurrence.fused(INSIDE, BlockId("std/recurrence.dl", "peephole_lstm_cell")) is None
