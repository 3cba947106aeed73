"""Sizes and inputs that a comparison makes up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc.diagnostics import DlcError
from dlc.ir import Distribution, Program
from dlc.ir_text import read
from dlc.verify.inputs import ONES, choose_sizes, make_inputs

PROGRAMS = Path(__file__).parents[1] / "ir" / "programs"


def program(inputs: str, homes: str, body: str = "") -> Program:
    lines = "\n".join(
        f"  {line}" for line in (*homes.split("; "), *inputs.split("; "), *filter(None, body.split("; ")))
    )
    values = inputs.count("%") + body.count(": float")
    return read(f'program P inference entry P#0\nmodule P#0 = "p.dl":P values {values}\n{lines}\n  output %0 y\n')


TOKENS = program("input %0 tokens: int[N, T] in [0, 50]", "home N = tokens axis 0: N; home T = tokens axis 1: T")
GRAPH = program(
    "input %0 h: float[V, 8]; input %1 edges: int[2, E] in [0, V]",
    "home V = h axis 0: V; home E = edges axis 1: E",
)


def test_two_runs_differ_in_every_dimension() -> None:
    recurrent = read((PROGRAMS / "recurrent.ir").read_text())
    for each in (recurrent, TOKENS, GRAPH):
        first, second = choose_sizes(each, 0), choose_sizes(each, 1)
        assert first.keys() == second.keys()
        assert all(first[name] != second[name] for name in first)
        for sizes in (first, second):
            assert len(set(sizes.values())) == len(sizes)


def test_nodes_are_several_and_times_are_no_nodes() -> None:
    assert choose_sizes(GRAPH, 0) == {"V": 6, "E": 5}
    lengths = program(
        "input %0 x: float[N, T]; input %1 lengths: int[N] in [1, T + 1]", "home N = x axis 0: N; home T = x axis 1: T"
    )
    assert choose_sizes(lengths, 0) == {"N": 2, "T": 5}


def test_sizes_that_are_given_stay() -> None:
    assert choose_sizes(TOKENS, 0, {"N": 1, "other": 7}) == {"N": 1, "T": 5}


def test_sizes_grow_until_nothing_is_empty() -> None:
    pools = program(
        "input %0 x: float[N, H]", "home N = x axis 0: N; home H = x axis 1: H", "unused %1: float[N, (H - 16)//32]"
    )
    for run in (0, 1):
        sizes = choose_sizes(pools, run)
        assert (sizes["H"] - 16) // 32 >= 1
        assert sizes["N"] <= 3


def test_sizes_that_cannot_be_found_are_told() -> None:
    never = program("input %0 x: float[N, H]", "home N = x axis 0: N; home H = x axis 1: H", "unused %1: float[N, -H]")
    with pytest.raises(DlcError, match="E0812"):
        choose_sizes(never, 0)


def test_a_dimension_of_states_alone_starts_at_nothing() -> None:
    cache = program(
        "input %0 x: float[N]; state %1 keys: float[P, Q] = 0",
        "home N = x axis 0: N; home P = keys axis 0: P; home Q = keys axis 1: Q",
    )
    assert choose_sizes(cache, 0) == {"N": 2, "P": 0, "Q": 0}
    later = choose_sizes(cache, 1)
    assert later.keys() == {"N", "P", "Q"}
    assert len({0, *later.values()}) == 4  # no two alike, none empty
    assert make_inputs(cache, {"N": 2, "P": 0, "Q": 3}, 0)["keys"].shape == (0, 3)


def test_tokens_end_in_padding() -> None:
    rows = make_inputs(TOKENS, {"N": 200, "T": 9}, 0)["tokens"]
    assert rows.dtype == np.int64
    lengths = (rows != 0).sum(axis=1)
    assert set(lengths) == set(range(10))
    np.testing.assert_array_equal(rows != 0, np.arange(9) < lengths[:, None])
    assert (rows.min(), rows.max()) == (0, 49)


@pytest.mark.parametrize("seed", range(5))
def test_one_row_of_tokens_is_full_and_another_empty(seed: int) -> None:
    two = program(
        "input %0 source: int[N, S] in [0, 50]; input %1 target: int[N, T] in [0, 50]",
        "home N = source axis 0: N; home S = source axis 1: S; home T = target axis 1: T",
    )
    for count in (2, 3):
        found = make_inputs(two, {"N": count, "S": 4, "T": 5}, seed)
        lengths = {name: (rows != 0).sum(axis=1) for name, rows in found.items()}
        assert {0, 4} <= set(lengths["source"])
        assert {0, 5} <= set(lengths["target"])
        assert not (lengths["source"] + lengths["target"] == 0).any()  # what is empty meets what is not
    single = make_inputs(two, {"N": 1, "S": 4, "T": 5}, seed)
    assert [int((rows != 0).sum()) for rows in single.values()] == [4, 5]
    assert make_inputs(two, {"N": 2, "S": 0, "T": 5}, seed)["source"].shape == (2, 0)


@pytest.mark.parametrize("seed", range(5))
def test_edges_have_a_lonely_node_a_loop_and_a_repetition(seed: int) -> None:
    for nodes, count in ((6, 5), (2, 4), (9, 8)):
        edges = make_inputs(GRAPH, {"V": nodes, "E": count}, seed)["edges"]
        assert set(range(nodes)) - set(edges.ravel())
        assert (edges[0] == edges[1]).any()
        assert len({tuple(edge) for edge in edges.T}) < count
        assert edges.min() >= 0
        assert edges.max() < nodes
    assert not make_inputs(GRAPH, {"V": 1, "E": 4}, seed)["edges"].any()
    assert make_inputs(GRAPH, {"V": 3, "E": 0}, seed)["edges"].shape == (2, 0)


def test_edges_of_a_graph_of_known_size_are_no_tokens() -> None:
    fixed = program("input %0 edges: int[2, E] in [0, 6]", "home E = edges axis 1: E")
    edges = make_inputs(fixed, {"E": 500}, 0)["edges"]
    assert len(set(edges.ravel())) == 5


@pytest.mark.parametrize("seed", range(5))
def test_masks_have_a_row_of_each_kind(seed: int) -> None:
    masks = program(
        "input %0 rows: bool[N, T]; input %1 pairs: bool[N, A, T]; input %2 each: bool[N]",
        "home N = rows axis 0: N; home T = rows axis 1: T; home A = pairs axis 1: A",
    )
    found = make_inputs(masks, {"N": 2, "A": 3, "T": 7}, seed)
    for rows in (found["rows"], found["pairs"].reshape(6, 7)):
        assert rows.all(axis=1).any()
        assert (~rows).all(axis=1).any()
    assert set(found["each"]) == {True, False}
    assert make_inputs(masks, {"N": 1, "A": 1, "T": 3}, seed)["rows"].all()
    assert make_inputs(masks, {"N": 2, "A": 0, "T": 3}, seed)["pairs"].shape == (2, 0, 3)


def test_lengths_reach_their_bounds() -> None:
    lengths = program(
        "input %0 x: float[N, T]; input %1 lengths: int[N] in [0, T + 1]", "home N = x axis 0: N; home T = x axis 1: T"
    )
    for seed in range(5):
        assert {0, 7} <= set(make_inputs(lengths, {"N": 2, "T": 7}, seed)["lengths"])
    assert {int(make_inputs(lengths, {"N": 1, "T": 7}, seed)["lengths"][0]) for seed in range(40)} == set(range(8))


def test_indices_are_not_padded() -> None:
    edges = make_inputs(GRAPH, {"V": 6, "E": 500}, 0)["edges"]
    assert len(set(edges.ravel())) == 5
    assert abs((edges == 0).mean() - 1 / 5) < 0.05


def test_bounds_are_half_open_and_may_depend_on_sizes() -> None:
    lengths = program(
        "input %0 x: float[N, T]; input %1 lengths: int[N] in [1, T + 1]", "home N = x axis 0: N; home T = x axis 1: T"
    )
    found = make_inputs(lengths, {"N": 400, "T": 4}, 1)["lengths"]
    assert set(found) == {1, 2, 3, 4}
    nothing = program("input %0 x: int[N] in [3, 3]", "home N = x axis 0: N")
    with pytest.raises(DlcError, match=r"leave nothing: 3\.\.3"):
        make_inputs(nothing, {"N": 2}, 0)


def test_kinds_of_numbers() -> None:
    mixed = program(
        "input %0 x: float[N]; input %1 m: bool[N]; input %2 k: i32[N]; input %3 u: float[N]", "home N = x axis 0: N"
    )
    uniform = {"u": Distribution("uniform")}
    found = make_inputs(mixed, {"N": 1000}, 0, uniform)
    assert found["x"].dtype == np.float32
    assert abs(found["x"].std() - 1) < 0.1
    assert abs(found["m"].mean() - 0.75) < 0.05
    assert found["k"].dtype == np.int32
    assert found["k"].min() < 0
    assert 0 < found["u"].min() < found["u"].max() < 1


def test_inputs_are_the_same_each_time() -> None:
    first, again, other = (make_inputs(GRAPH, {"V": 6, "E": 5}, seed) for seed in (0, 0, 1))
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
        assert not np.array_equal(value, other[name])


def test_numbers_at_the_edge() -> None:
    several = program(
        "input %0 x: float[N, T]; input %1 n: int[N, T]; input %2 k: int[N] in [0, T]",
        "home N = x axis 0: N; home T = x axis 1: T",
    )
    sizes = {"N": 40, "T": 9}
    found, plain = make_inputs(several, sizes, 0, edge=True), make_inputs(several, sizes, 0)
    x = found["x"]
    assert x.dtype == np.float32
    assert np.abs(plain["x"]).max() < 10 < 88 < x.max()  # exp(89) is beyond float32
    assert (x == 0).any()
    halves = x[x % 1 == 0.5]
    assert halves.size > 50
    assert (np.floor(halves + 0.5) != np.round(halves)).all()
    rows = np.sort(x, axis=1)
    assert (rows[:, -1] == rows[:, -2]).mean() > 0.7
    assert np.abs(found["n"]).max() > 2**31 - 1
    np.testing.assert_array_equal(found["k"], plain["k"])


def test_sizes_of_one_are_the_batch_and_another() -> None:
    assert choose_sizes(TOKENS, ONES) == {"N": 1, "T": 1}
    assert 1 in choose_sizes(GRAPH, ONES).values()
