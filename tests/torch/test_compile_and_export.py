"""Every example, small: torch.compile takes it whole, torch.export with dynamic sizes gives the same at other sizes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from dlc.verify.inputs import choose_sizes, make_inputs
from roundtrip_networks import SMALL, small

#: Dimensions that a Python loop over time fixes when it is exported.
LOOPED = {"CharLSTM": {"T"}, "Seq2Seq": {"S", "T"}}
QUICK = ("LeNet5", "ResNet", "GCN", "Transformer")
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SMALL]


def prepared(name: str) -> tuple[torch.nn.Module, Any]:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = small(name)
    return network.build("torch").eval(), network.unit.networks[0].inference


def tensors(program: Any, run: int, fixed: dict[str, int]) -> tuple[torch.Tensor, ...]:
    found = make_inputs(program, choose_sizes(program, run, fixed), run)
    return tuple(torch.from_numpy(found[port.name]) for port in program.module(program.entry).inputs)


def require_same(found: Any, wanted: Any) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_compiles_whole(name: str) -> None:
    model, program = prepared(name)
    inputs = tensors(program, 0, {})
    with torch.no_grad():
        require_same(torch.compile(model, fullgraph=True, backend="eager")(*inputs), model(*inputs))


@pytest.mark.parametrize("name", NAMES)
def test_exports_with_dynamic_sizes(name: str) -> None:
    model, program = prepared(name)
    entry = program.module(program.entry)
    homes = [home for home in entry.homes if home.symbol not in LOOPED.get(name, set())]
    assert homes
    fixed = dict.fromkeys(LOOPED.get(name, set()), 5)
    dynamic = tuple(
        {
            axis: torch.export.Dim.DYNAMIC
            for axis, size in enumerate(entry.types[port.value].shape)
            if any(str(size) == home.symbol for home in homes)
        }
        for port in entry.inputs
    )
    with torch.no_grad():
        exported = torch.export.export(model, tensors(program, 0, fixed), dynamic_shapes=dynamic).module()
        for run in (1, 2):
            inputs = tensors(program, run, fixed)
            require_same(exported(*inputs), model(*inputs))
