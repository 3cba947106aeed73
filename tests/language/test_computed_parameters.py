"""Parameters that start at expressions over earlier ones: in the weights file and in each framework's own code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import dlc
import numpy as np
import pytest
from dlc import weights
from dlc.check_ir import IRError, check_program
from dlc.ir import Program
from dlc.ir_read import read
from dlc.ir_text import show
from dlc.networks import elaborate
from dlc.parameters import NetworkParameter, network_parameters
from dlc.passes.resolve import load_project
from language_runs import Array, close

SPEC = Path(__file__).with_name("computed_parameters.dl")
FACTORS = {"scaled": 2.0, "scaled_2": 2.0, "scaled_3": 0.5}


def program() -> tuple[Program, tuple[NetworkParameter, ...]]:
    (network,) = elaborate(load_project(SPEC)).unit.networks
    return network.inference, network_parameters(network.inference, network.training)


def require_computed(arrays: Mapping[str, Array], tolerance: float) -> None:
    """What each block's parameters say of each other."""
    for block, factor in FACTORS.items():
        own = {path.rpartition(".")[2]: array for path, array in arrays.items() if path.rpartition(".")[0] == block}
        assert np.ptp(own["gain"]) > 0
        for found, wanted in (
            (own["shift"], -own["gain"] * factor),
            (own["both"], own["weight"] * own["gain"][:, None] + 1),
            (own["steps"], np.arange(len(own["gain"])) / len(own["gain"])),
            (own["total"], own["gain"].sum()),
            (own["center"], own["shift"]),
        ):
            np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def test_weights_file(tmp_path: Path) -> None:
    _, parameters = program()
    weights.write(tmp_path / "w", parameters, weights.initial(3))
    require_computed(weights.read(tmp_path / "w", parameters), 1e-6)


def test_a_file_of_other_weights_is_taken_as_it_is(tmp_path: Path) -> None:
    from dlc.weights_reuse import rewritten

    _, parameters = program()
    weights.write(tmp_path / "a", parameters, weights.randomised(3))
    weights.write(tmp_path / "b", parameters, rewritten(tmp_path / "a"))
    first, second = weights.read(tmp_path / "a"), weights.read(tmp_path / "b")
    for path in first:
        close(first[path], second[path])


def test_verify_sees_numbers_of_their_own(tmp_path: Path) -> None:
    """Randomised weights leave no parameter at its start: a backend that recomputed it would be found."""
    _, parameters = program()
    weights.write(tmp_path / "w", parameters, weights.randomised(3))
    arrays = weights.read(tmp_path / "w")
    off = np.abs(arrays["scaled.shift"] / (-2 * arrays["scaled.gain"]) - 1)
    assert 0 < off.max() < 0.11


def test_torch_code_draws_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    model = dlc.load(SPEC)["Computed"].build("torch", weights=None)
    require_computed({name: value.numpy() for name, value in model.state_dict().items()}, 1e-6)


def test_keras_code_draws_it(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    model = dlc.load(SPEC)["Computed"].build("tensorflow", weights=None)
    body = model.layers[-1]
    arrays = {f"{block}.{v.name}": v.numpy() for block in FACTORS for v in getattr(body, block).weights}
    require_computed(arrays, 1e-6)


def test_both_modes_share_one_module() -> None:
    (network,) = elaborate(load_project(SPEC)).unit.networks
    keys = [{m.key for m in p.modules if "." in m.key} for p in (network.inference, network.training)]
    assert keys[0] == keys[1]


def test_text_reads_back_and_the_checker_knows_it() -> None:
    found, _ = program()
    assert read(show(found)) == found
    check_program(found)
    wrong = show(found).replace(
        "input %0 gain: float[3]\n  %1: float[3] = neg", "input %0 gun: float[3]\n  %1: float[3] = neg"
    )
    assert wrong != show(found)
    with pytest.raises(IRError, match="no earlier parameter"):
        check_program(read(wrong.replace("signature gain\n  input %0 gun", "signature gun\n  input %0 gun")))
