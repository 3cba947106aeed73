"""`F.scaled_dot_product_attention` in place of the standard block: where, and the same numbers and gradients."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from dlc.backends.api import Options
from dlc.backends.torch import backend
from torch_models import imported, unit_of, write

NATIVE = "F.scaled_dot_product_attention("
QUERY, KEY, VALUE = "float[N, H, T, D]", "float[N, H, S, D]", "float[N, H, S, V]"
#: name: (type of the mask, hyperparameters, whether the native is used).
CASES = {
    "plain": (None, "", True),
    "causal": (None, "causal=true", True),
    "mask of keys": ("bool[N, 1, 1, S]", "", True),
    "mask of rows and keys": ("bool[N, 1, T, S]", "", True),
    "mask of heads": ("bool[N, H, 1, S]", "", True),
    "mask of all": ("bool[N, H, T, S]", "causal=false", True),
    "mask and causal": ("bool[N, 1, T, S]", "causal=true", False),
}


def code(mask: str | None, given: str, query: str = QUERY) -> str:
    """A network of one attention, all sizes dynamic."""
    lines = [f"    input query: {query}", f"    input key: {KEY}", f"    input value: {VALUE}"]
    lines += [] if mask is None else [f"    input mask: {mask}"]
    last = "" if mask is None else ", mask=mask"
    lines.append(f"    output y = scaled_dot_product_attention({given})(query, key, value{last})")
    return "\n".join(["network Net:", *lines, ""])


def model(text: str, natives: bool, folder: Path) -> tuple[torch.nn.Module, str]:
    folder.mkdir(exist_ok=True)
    (path,) = write(backend.compile(unit_of(folder, text), Options(natives=natives)).files, folder)
    return imported(path).Net(), path.read_text(encoding="utf-8")


def tensors(mask: str | None, rows: int, keys: int) -> list[torch.Tensor]:
    """Batches of 3; the first may attend to nothing at all."""
    draws = torch.Generator().manual_seed(0)
    found = [torch.randn(3, 2, size, width, generator=draws) for size, width in ((rows, 4), (keys, 4), (keys, 3))]
    if mask is None:
        return found
    sizes = {"N": 3, "1": 1, "H": 2, "T": rows, "S": keys}
    chosen = torch.rand([sizes[word] for word in mask[5:-1].split(", ")], generator=draws) > 0.5
    chosen[0] = False
    return [*found, chosen]


@pytest.mark.parametrize(("rows", "keys"), [(5, 5), (3, 7), (7, 3), (1, 1), (40, 600)])
@pytest.mark.parametrize("name", CASES)
def test_same_numbers_and_gradients(name: str, rows: int, keys: int, tmp_path: Path):
    """In both modes, with rows that may attend to nothing and lengths that differ."""
    torch.set_num_threads(1)
    mask, given, used = CASES[name]
    results: list[list[torch.Tensor]] = []
    for natives in (True, False):
        net, text = model(code(mask, given), natives, tmp_path / str(natives))
        assert (NATIVE in text) == (used and natives)
        for training in (True, False):
            values = [one.clone() for one in tensors(mask, rows, keys)]
            for one in values[:3]:
                one.requires_grad_()
            y = net.train(training)(*values)
            y.square().sum().backward()
            found = [y.detach(), *(one.grad for one in values[:3] if one.grad is not None)]
            if mask is not None:
                assert torch.equal(found[0][0], torch.zeros_like(found[0][0]))
            results.append(found)
    for other in results[1:]:
        torch.testing.assert_close(other, results[0], rtol=2e-5, atol=2e-5)


def test_a_mask_that_makes_more_rows_is_no_native(tmp_path: Path):
    """One query row and a mask of five give five rows in the block; torch refuses that."""
    net, text = model(code("bool[N, 1, 5, S]", "", "float[N, H, 1, D]"), True, tmp_path)
    assert NATIVE not in text
    query, key, value = tensors(None, 1, 6)
    assert net(query, key, value, torch.ones(3, 1, 5, 6, dtype=torch.bool)).shape == (3, 2, 5, 3)
