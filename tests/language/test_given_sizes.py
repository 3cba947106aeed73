"""Dynamic dimensions as `size` hyperparameters: `size_hyperparameter.dl` against NumPy, and as IR."""

from __future__ import annotations

from pathlib import Path

import dlc
import numpy as np
import pytest
from dlc.diagnostics import DlcError
from dlc.ir import ITSELF, Module
from dlc.ir_read import read
from dlc.ir_text import show
from dlc.networks import elaborate
from dlc.passes.resolve import load_project
from language_runs import Ran, close, normal, run

SPEC = Path(__file__).with_name("size_hyperparameter.dl")
N, T = 3, 5


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(tmp_path_factory.mktemp("sizes"), SPEC.read_text(encoding="utf-8"), inputs())


def inputs() -> dict[str, np.ndarray]:
    return {"x": normal(N, 8), "s": normal(N, T, 8, seed=3)}


def dense(ran: Ran, x: np.ndarray, path: str) -> np.ndarray:
    return x @ ran.weights[f"{path}.weight"].T + ran.weights[f"{path}.bias"]


def test_block_without_inputs(ran: Ran) -> None:
    far = np.abs(np.subtract.outer(np.arange(T), np.arange(T))) > 2
    close(ran["mixed"], np.einsum("ts,nsd->ntd", far.astype(float), inputs()["s"]))


def test_size_is_handed_on(ran: Ran) -> None:
    x = inputs()["x"]
    one = dense(ran, x, "averaged.dense") * np.sqrt(T)
    five = dense(ran, x, "averaged_2.dense") * np.sqrt(5)
    half = dense(ran, x, "twice_averaged.averaged.dense") * np.sqrt(T + 1)
    close(ran["averages"], one + five + dense(ran, half, "twice_averaged.averaged_2.dense") * np.sqrt(2 * (T + 1)))


def test_slices_and_relations(ran: Ran) -> None:
    s = inputs()["s"]
    close(ran["early"], s[:, : T - 1])
    close(ran["three"], s[:, :3])
    close(ran["position"], s[:, :, 0] + np.arange(T))
    close(ran["weighted"], (s[:, :, 1] * np.arange(T)).sum(axis=1))
    close(ran["inner"], s[:, 1 : T - 1, 2])


def test_beside_optional_inputs_scans_and_templates(ran: Ran) -> None:
    x, s = inputs()["x"], inputs()["s"]
    close(ran["plain"], x * T)
    close(ran["by_mask"], x * T * x[:, :1])
    close(ran["counted"], np.cumsum(s, axis=1) * 2 * T)
    close(ran["of_template"], dense(ran, x, "of_template.f.dense") * np.sqrt(T))


def modules() -> dict[str, list[Module]]:
    (network,) = elaborate(load_project(SPEC)).unit.networks
    found: dict[str, list[Module]] = {}
    for module in network.inference.modules:
        found.setdefault(module.block.name, []).append(module)
    return found


def test_modules_are_shared() -> None:
    """One module serves all dynamic sizes; a constant size, and a size that must be an input's, have their own."""
    found = {name: len(made) for name, made in modules().items()}
    assert found["first"] == 2
    assert found["averaged"] == 4  # n, n with other units, 5, and n of four features


def test_only_what_no_input_tells_is_an_input() -> None:
    for name, port in (("band", "n"), ("averaged", "n"), ("positioned", None), ("exactly", None)):
        homes = [home.port for home in modules()[name][0].homes if home.axis == ITSELF]
        assert homes == ([port] if port else [])


def test_text_reads_back() -> None:
    (network,) = elaborate(load_project(SPEC)).unit.networks
    assert read(show(network.inference)) == network.inference


def test_layer_with_a_dynamic_size_is_not_given_away(tmp_path: Path) -> None:
    path = tmp_path / "spec.dl"
    path.write_text(
        SPEC.read_text(encoding="utf-8").split("network Sizes")[0]
        + "block given(f: layer):\n    input x: float[N, D]\n    output f(x)\n\n\n"
        "network Given:\n    input x: float[N, 8]\n    output given(averaged(N))(x)\n",
        encoding="utf-8",
    )
    with pytest.raises(DlcError) as raised:
        elaborate(load_project(path))
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E0310"
    assert diagnostic.found == "a layer with the dynamic size N"


def test_last_axis_is_no_given_size_in_torch(tmp_path: Path) -> None:
    """Where any number of axes stand before it, a dimension is read at axis -1, which is also how homes mark sizes."""
    torch = pytest.importorskip("torch")
    path = tmp_path / "spec.dl"
    path.write_text(
        "block widened:\n    input x: float[*B, D]\n    output x * D\n\n\n"
        "network Widened:\n    input x: float[N, 8]\n    output widened(x)\n",
        encoding="utf-8",
    )
    x = torch.ones(2, 8)
    found = dlc.load(path)["Widened"].build("torch", weights=None)(x)
    torch.testing.assert_close(found, 8 * x)
