"""`save_weights` writes what `load_weights` reads: the spec's names, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from dlc import networks
from dlc.backends.api import Options
from dlc.backends.torch import backend
from dlc.parameters import parameters
from dlc.passes.resolve import load_project
from safetensors.torch import load_file
from torch_models import imported, require_ruff_clean, write

SPECS = {
    "plain": "    output y = x -> dense(3)\n",
    "with a batch norm": "    output y = x -> dense(3) -> batch_norm\n",
    "nn.Module's own names": "    forward = x -> dense(3)\n    train = forward -> batch_norm\n    output y = train\n",
}


@pytest.mark.parametrize("case", SPECS)
def test_a_round_trip_is_exact(case: str, tmp_path: Path) -> None:
    path = tmp_path / "net.dl"
    path.write_text(f"network Net:\n    input x: float[N, 4]\n{SPECS[case]}", encoding="utf-8")
    unit = networks.elaborate(load_project(path)).unit
    (code,) = write(backend.compile(unit, Options()).files, tmp_path)
    require_ruff_clean(code)
    module = imported(code)
    first, second = module.Net(), module.Net()
    for value in first.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape[::-1]).T if value.ndim == 2 else torch.rand(value.shape))
    file = str(tmp_path / "net.safetensors")
    module.save_weights(first, file)
    assert set(load_file(file)) == {parameter.path for parameter in parameters(unit.networks[0].training)}
    module.load_weights(second, file)
    found, wanted = second.state_dict(), first.state_dict()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    module.save_weights(second, str(tmp_path / "again.safetensors"))
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "net.safetensors").read_bytes()
