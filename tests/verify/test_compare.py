"""The comparison's rules, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from dlc.verify.compare import (
    AGREES,
    DISAGREES,
    INCONCLUSIVE,
    References,
    compare,
    compare_output,
    faint,
    scaled_error,
    wrong_elements,
)

EPS = 2.0**-23
EXACT = np.array([1.0, -4.0, 2.0, 0.0])


def refer(exact: np.ndarray, noise: float = 0.0, perturbed: list[np.ndarray] | None = None) -> References:
    """References whose single-precision error is `noise` times the largest value (as float32 can hold it)."""
    single = exact.astype(np.float32) if exact.dtype == np.float64 else exact
    shifted = exact.copy()
    if noise:
        shifted[0] += noise * np.abs(exact).max()
    return References({"y": exact}, {"y": single}, tuple({"y": p} for p in perturbed or [exact, shifted, exact]))


def judge(found: np.ndarray, references: References):
    return compare_output("y", found, references)


def off_by(relative: float) -> np.ndarray:
    return (EXACT + np.array([0, relative * 4.0, 0, 0])).astype(np.float32)


def test_equal_outputs_agree() -> None:
    report = judge(EXACT.astype(np.float32), refer(EXACT))
    assert (report.verdict, report.error, report.tolerance) == (AGREES, 0.0, 32 * EPS)


@pytest.mark.parametrize(
    ("relative", "noise", "verdict"),
    [
        (30 * EPS, 0.0, AGREES),
        (34 * EPS, 0.0, DISAGREES),
        (34 * EPS, 8 * EPS, AGREES),
        (7.5e-5, 1e-5, AGREES),
        (8.5e-5, 1e-5, DISAGREES),
        (7.5e-3, 0.99e-3, AGREES),
        (0.0, 1.01e-3, INCONCLUSIVE),
        (9.0, 1.01e-3, INCONCLUSIVE),
    ],
)
def test_tolerance_is_eight_times_the_noise_or_four_eps(relative: float, noise: float, verdict: str) -> None:
    report = judge(off_by(relative), refer(EXACT, noise))
    assert report.verdict == verdict
    assert report.tolerance == pytest.approx(8 * max(noise, 4 * EPS))


def test_the_single_precision_error_is_noise_too() -> None:
    references = References({"y": EXACT}, {"y": off_by(1e-4)}, ({"y": EXACT},) * 3)
    assert judge(off_by(7e-4), references).verdict == AGREES
    assert judge(off_by(9e-4), references).verdict == DISAGREES


@pytest.mark.parametrize(
    ("precision", "limit"), [("f32", 1e-3), ("f64", 1e-3), ("f16", 4 * 2.0**-10), ("bf16", 4 * 2.0**-7)]
)
def test_noise_has_a_limit_in_each_precision(precision: str, limit: float) -> None:
    single = EXACT if precision == "f64" else EXACT.astype(np.float16 if precision == "f16" else np.float32)
    for share, verdict in ((0.999, AGREES), (1.001, INCONCLUSIVE)):
        shifted = EXACT.copy()
        shifted[0] += share * limit * 4.0
        report = judge(single, References({"y": EXACT}, {"y": single}, ({"y": shifted},) * 3, precision))
        assert report.verdict == verdict, report
        assert verdict == INCONCLUSIVE or report.tolerance <= max(8e-3, 32 * limit / 4)


def test_error_is_scaled_by_the_largest_value_not_by_each() -> None:
    found = EXACT.astype(np.float32)
    found[3] = 1e-6  # where the oracle has 0
    assert judge(found, refer(EXACT)).verdict == AGREES


def test_the_worst_element_is_named() -> None:
    report = judge(off_by(0.5), refer(EXACT))
    assert report.where == (1,)
    assert report.message == "at [1]: -2, expected -4"


@pytest.mark.parametrize("wrong", [EXACT.reshape(2, 2), EXACT[:3], EXACT[None]])
def test_shapes_are_equal(wrong: np.ndarray) -> None:
    report = judge(wrong.astype(np.float32), refer(EXACT))
    assert report.verdict == DISAGREES
    assert "shape" in report.message


def test_element_types_are_equal() -> None:
    assert "element type float64, expected float32" in judge(EXACT, refer(EXACT)).message
    assert judge(EXACT.astype(np.int64), refer(EXACT)).verdict == DISAGREES


def test_a_permuted_output_disagrees() -> None:
    assert judge(EXACT[::-1].astype(np.float32), refer(EXACT)).verdict == DISAGREES


SPECIAL = np.array([1.0, np.nan, np.inf, -np.inf])


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.0])
def test_nan_and_infinity_stand_where_the_oracle_s_stand(position: int, value: float) -> None:
    found = SPECIAL.astype(np.float32)
    found[position] = value
    same = np.array_equal(found, SPECIAL, equal_nan=True)
    report = judge(found, refer(SPECIAL))
    assert report.verdict == (AGREES if same else DISAGREES)
    if not same:
        assert report.error == np.inf
        assert report.where == (position,)


def test_overflow_of_the_reference_itself_is_inconclusive() -> None:
    exact = np.array([1e200, 1.0])
    with np.errstate(over="ignore"):
        report = judge(np.array([np.inf, 1.0], np.float32), refer(exact))
    assert report.verdict == INCONCLUSIVE


def test_all_zero_oracle_wants_zeros() -> None:
    zero = np.zeros(3)
    assert judge(np.zeros(3, np.float32), refer(zero)).verdict == AGREES
    assert judge(np.full(3, 1e-12, np.float32), refer(zero)).verdict == DISAGREES


def test_empty_and_scalar_outputs() -> None:
    assert judge(np.zeros((0, 3), np.float32), refer(np.zeros((0, 3)))).verdict == AGREES
    assert judge(np.float32(2.5), refer(np.array(2.5))).verdict == AGREES
    assert judge(np.array(2.6, np.float32), refer(np.array(2.5))).verdict == DISAGREES


def integers(changes: int, size: int = 1000) -> tuple[np.ndarray, References]:
    exact = np.arange(size)
    shaken = exact.copy()
    shaken[:changes] += 1
    return exact, refer(exact, perturbed=[exact, shaken, exact])


def test_integers_are_equal() -> None:
    exact, references = integers(0)
    assert judge(exact, references).verdict == AGREES
    wrong = exact.copy()
    wrong[7] += 1
    report = judge(wrong, references)
    assert (report.verdict, report.where) == (DISAGREES, (7,))
    assert report.message == "at [7]: 8, expected 7; 1 of 1000 differ"


def test_integers_may_differ_where_perturbation_changes_them() -> None:
    exact, references = integers(10)
    wrong = exact.copy()
    wrong[3] += 1
    assert judge(wrong, references).verdict == AGREES
    wrong[12] += 1
    assert judge(wrong, references).verdict == DISAGREES


def test_integers_that_mostly_change_are_inconclusive() -> None:
    exact, references = integers(11)
    assert judge(exact, references).verdict == INCONCLUSIVE


def test_booleans() -> None:
    exact = np.array([True, False])
    assert judge(exact, refer(exact)).verdict == AGREES
    assert judge(~exact, refer(exact)).verdict == DISAGREES
    assert judge(exact.astype(np.int64), refer(exact)).verdict == DISAGREES


def test_missing_and_unexpected_outputs() -> None:
    references = refer(EXACT)
    good = EXACT.astype(np.float32)
    assert [r.verdict for r in compare({"y": good}, references)] == [AGREES]
    assert [(r.name, r.verdict) for r in compare({}, references)] == [("y", DISAGREES)]
    assert compare({}, references, frozenset({"y"})) == ()
    assert [(r.name, r.verdict) for r in compare({"y": good, "z": good}, references)] == [
        ("y", AGREES),
        ("z", DISAGREES),
    ]


def test_scaled_error() -> None:
    assert scaled_error(np.array([1.0, 3.0]), np.array([1.0, 2.0])) == 0.5
    assert scaled_error(np.array([np.nan]), np.array([np.nan])) == 0.0
    assert scaled_error(np.array([np.inf]), np.array([-np.inf])) == np.inf


def test_wrong_elements() -> None:
    found = EXACT.astype(np.float32)
    found[2] += 1e-3
    np.testing.assert_array_equal(wrong_elements("y", found, refer(EXACT)), [False, False, True, False])
    special = SPECIAL.astype(np.float32)
    special[[0, 3]] = np.nan, np.inf
    np.testing.assert_array_equal(wrong_elements("y", special, refer(SPECIAL)), [True, False, False, True])
    exact, references = integers(10)
    wrong = exact.copy()
    wrong[[3, 20]] += 1
    assert np.flatnonzero(wrong_elements("y", wrong, references)).tolist() == [20]


@pytest.mark.parametrize(
    ("largest", "answer"), [(0.0, False), (1e-9, True), (0.9e-3, True), (1.1e-3, False), (9.0, False)]
)
def test_faint_outputs(largest: float, answer: bool) -> None:
    exact = np.array([0.0, -largest, np.nan, -np.inf])
    assert faint(References({"y": exact, "n": np.zeros(2, int)}, {}, ())) == answer
