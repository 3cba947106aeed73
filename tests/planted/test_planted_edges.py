"""What only shows where a row is empty or a node lonely: `verify` sees it with the inputs that it makes up itself."""

from __future__ import annotations

from unittest import mock

import pytest
from dlc import networks
from dlc.backends.api import Unit
from dlc.passes.resolve import load_project
from dlc.verify.report import AGREES, DISAGREES, Case
from dlc.verify.run import Settings, verify
from dlc.verify.workers import Workers
from plain_rules import PLAIN
from wrong_rules import RULES

TEXT = """block mean_of_neighbours:
    input h: float[V, F]
    input edges: int[2, E] in 0..V
    messages u -> v along edges into V:
        send h[u]
    aggregate folded = mean
    output folded

block largest_neighbour:
    input h: float[V, F]
    input edges: int[2, E] in 0..V
    messages u -> v along edges into V:
        send h[u]
    aggregate folded = max
    output folded

network Words:
    input source: int[N, S] in 0..50
    words = source -> embedding(50, 8)
    shown = where(source != 0, words @ arange(8), -inf)
    weights = softmax(shown, axis=1)
    output einsum("n s, n s d -> n d", weights, words)

network Masked:
    input x: float[N, T, 8]
    input mask: bool[N, T, T]
    output weights = softmax(where(mask, x @ transpose(x, [0, 2, 1]), -inf), axis=-1)

network Lengths:
    input x: float[N, T]
    input lengths: int[N] in 0..T + 1
    inside = expand_dims(arange(T), 0) < expand_dims(lengths, 1)
    output softmax(where(inside, x, -inf), axis=1)

network Graph:
    input h: float[V, 3]
    input edges: int[2, E] in 0..V
    output average = mean_of_neighbours(h, edges)
    output largest = largest_neighbour(h, edges)
"""
BACKENDS = ["torch", "onnx", pytest.param("tensorflow", marks=pytest.mark.slow)]
#: By network with a softmax over rows that may be empty: what the line of TEXT holds that `verify` must name.
NETWORKS = {"Words": "softmax(shown", "Masked": "softmax(where", "Lengths": "softmax(where"}


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    path = tmp_path_factory.mktemp("edges") / "net.dl"
    path.write_text(TEXT, encoding="utf-8")
    return networks.elaborate(load_project(path)).unit


def run(unit: Unit, network: str, backend: str, workers: Workers) -> tuple[Case, ...]:
    only = Unit(
        unit.stem, unit.digest, unit.doc, tuple(n for n in unit.networks if n.name == network), unit.declarations
    )
    return verify(only, [backend], Settings(modes=("inference",)), workers).cases


def require_named(cases: tuple[Case, ...], words: str) -> None:
    """The plain run disagrees, and the line that holds `words` is named. (At sizes of 1 no row may be empty.)"""
    assert cases[0].status == DISAGREES, f"{cases[0].sizes} {cases[0].status} {cases[0].message} {cases[0].detail}"
    for case in cases:
        if case.status == AGREES:
            continue
        assert case.cause is not None, f"{case.message} {case.detail}"
        place = case.cause.caller or case.cause.span
        assert words in TEXT.splitlines()[place.line - 1], str(case.cause)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("network", [*NETWORKS, "Graph"])
def test_control(unit: Unit, network: str, backend: str, workers: Workers) -> None:
    for case in run(unit, network, backend, workers):
        assert case.status == AGREES, f"{case.message} {case.detail}"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_plain_softmax_is_named(unit: Unit, network: str, backend: str, workers: Workers) -> None:
    with mock.patch.dict(RULES[backend], {"softmax": PLAIN[backend]["softmax"]}):
        require_named(run(unit, network, backend, workers), NETWORKS[network])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("op", ["segment_mean", "segment_max"])
def test_a_lonely_node_is_named(unit: Unit, op: str, backend: str, workers: Workers) -> None:
    with mock.patch.dict(RULES[backend], {op: PLAIN[backend][op]}):
        require_named(run(unit, "Graph", backend, workers), "aggregate folded")
