"""What a picture holds: boxes, joins, ports, open blocks, turns drawn once."""

from __future__ import annotations

import dlc
import pytest
from dlc.graph import draw
from dlc.graph.grouping import groups
from dlc.graph.model import Graph
from dlc.ir import Call, Equation, Origin


def graph(text: str, depth: int = 2, *expand: str, turns: bool = False) -> Graph:
    return draw(dlc.loads(text)["A"].programs, depth, expand, turns=turns).graph


def titles(found: Graph) -> list[str]:
    return [node.title for node in found.nodes.values()]


def shapes(found: Graph) -> dict[str, str]:
    return {found.nodes[edge.source.node].title: edge.label for edge in found.edges if edge.label}


RESIDUAL = """
block unit(width: int):
    input x: float[N, D]
    output x + (x -> dense(width) -> relu)

network A(layers: int = 3):
    input x: float[N, 8]
    for _ in range(layers):
        x = unit(8)(x)
    output y = x -> dense(2)
"""


def test_equal_turns_are_drawn_once() -> None:
    found = graph(RESIDUAL)
    assert titles(found) == ["x", "unit", "dense", "y"]
    unit = found.nodes[1]
    assert unit.count == 3
    assert unit.inner is not None
    assert titles(unit.inner) == ["x", "dense", "relu", "+", "output"]
    assert [node.count for node in graph(RESIDUAL, turns=True).nodes.values()] == [1] * 6


def test_turns_of_several_boxes_are_one_frame() -> None:
    loop = "    for _ in range(4):\n        x = x -> dense(8) -> relu\n"
    text = f"network A:\n    input x: float[N, 8]\n{loop}    output y = x\n"
    found = graph(text)
    assert [(node.kind, node.count) for node in found.nodes.values()] == [("input", 1), ("repeat", 4), ("output", 1)]
    inner = found.nodes[1].inner
    assert inner is not None
    assert titles(inner) == ["", "dense", "relu", ""]
    assert len(found.edges) == 2


@pytest.mark.parametrize(
    "body",
    [
        "x = x -> dense(8 + i) -> relu",  # sizes differ
        "x = x -> dense(8) -> relu\n        all = all + [x]",  # each turn is used later
        "x = dense(8)(x) + first",  # nothing: folds, see below
    ],
)
def test_what_is_no_turn_alike_stays(body: str) -> None:
    text = (
        "network A:\n    input x: float[N, 8]\n    first = x\n    all = [x]\n    for i in range(3):\n"
        f"        {body}\n    output y = concat(all + [x], axis=-1)\n"
    )
    kinds = [node.kind for node in graph(text).nodes.values()]
    assert ("repeat" in kinds) == ("first" in body)


def test_a_turn_may_read_what_stands_before_the_loop() -> None:
    text = (
        "network A:\n    input x: float[N, 8]\n    first = x -> relu\n    for i in range(3):\n"
        "        x = dense(8)(x) + first\n    output y = x\n"
    )
    found = graph(text)
    repeat = next(node for node in found.nodes.values() if node.kind == "repeat")
    assert (repeat.count, len(repeat.inputs), len(repeat.outputs)) == (3, 2, 1)


def test_a_form_is_open_once() -> None:
    text = RESIDUAL.replace("unit(8)(x)\n", "unit(8)(x)\n    x = unit(8)(x)\n    x = unit(8)(x)\n").replace(
        "for _ in range(layers):\n        x", "x"
    )
    assert [node.inner is not None for node in graph(text).nodes.values() if node.title == "unit"] == [
        True,
        False,
        False,
    ]
    assert all(node.inner for node in graph(text, 2, "all").nodes.values() if node.title == "unit")
    assert all(node.inner for node in graph(text, 0, "unit").nodes.values() if node.title == "unit")
    assert not any(node.inner for node in graph(text, 0).nodes.values())


def test_standard_blocks_open_when_asked() -> None:
    text = "network A:\n    input x: float[N, T, 8]\n    output y = x -> scan(gru_cell(4), axis=1)\n"
    assert graph(text).nodes[1].inner is None
    cell = graph(text, 2, "gru_cell").nodes[1]
    assert cell.badge == "scan T"
    assert cell.inner is not None
    assert [node.title for node in cell.inner.nodes.values() if node.detail == "state"] == ["h"]
    assert [node.title for node in cell.inner.nodes.values() if node.kind == "out"] == ["output, next h"]


def test_shapes_stand_where_they_change() -> None:
    text = "network A:\n    input x: float[N, 8]\n    output y = x -> dense(4) -> relu -> dense(3) -> tanh\n"
    found = graph(text)
    assert [edge.label for edge in found.edges] == ["", "[N, 4]", "", "[N, 3]", ""]
    assert [edge.type for edge in found.edges] == [f"float[N, {size}]" for size in (8, 4, 4, 3, 3)]


def test_ops_of_a_statement_are_one_box() -> None:
    text = "network A:\n    input x: float[N, 8]\n    z = exp(x) / (1 + exp(x))\n    output y = sum(z, axis=-1)\n"
    assert titles(graph(text)) == ["x", "exp, add, divide", "sum", "y"]


def test_a_group_closes_no_circle() -> None:
    """exp and multiply stand in one statement, a call between them."""
    text = "network A:\n    input x: float[N, 8]\n    z = exp(x)\n    output y = exp(z) * dense(8)(exp(z))\n"
    found = graph(text)
    order = {number: place for place, number in enumerate(found.nodes)}
    assert all(order[edge.source.node] < order[edge.target.node] for edge in found.edges)
    assert titles(found) == ["x", "exp", "exp", "dense", "exp, multiply", "y"]


def test_a_call_between_two_ops_keeps_them_apart() -> None:
    """No text gives this: an op's result that is used twice has a name. A pass that shares equal values may."""
    origin = Origin(statement=1)
    equations = {
        0: Equation("exp", (7,), (0,), origin=origin),
        1: Equation("call", (0,), (1,), target=Call(0, "f"), origin=origin),
        2: Equation("maximum", (0, 1), (2,), origin=origin),
    }
    assert groups(equations, {0: (-8,), 1: (0,), 2: (0, 1)}) == [(0,), (1,), (2,)]
    assert groups({0: equations[0], 2: equations[2]}, {0: (-8,), 2: (0,)}) == [(0, 2)]


def test_masks_are_minor_and_constants_not_drawn() -> None:
    text = (
        "network A:\n    input x: float[N, T, 8]\n    input mask: bool[N, T]\n"
        "    output y = multi_head_attention(2)(x, x, x, mask=expand_dims(mask, 1)) * 2 + arange(8)\n"
    )
    found = graph(text)
    assert titles(found) == ["x", "mask", "multi_head_attention", "multiply, add", "y"]
    assert [edge.minor for edge in found.edges] == [False, True, False, False]
    assert found.nodes[2].inputs == ("query, key, value", "mask")


def test_parameters_of_own_blocks_are_drawn() -> None:
    text = (
        "network A:\n    input x: float[N, 4]\n    param scale: float[4] ~ uniform(0, 1)\n"
        "    output y = (x * scale) -> dense(2)\n"
    )
    found = graph(text, 2, "dense")
    assert [(node.kind, node.title) for node in found.nodes.values()][1:3] == [("parameter", "scale"), ("join", "×")]
    dense = next(node for node in found.nodes.values() if node.title == "dense")
    assert dense.inner is None or "weight" not in titles(dense.inner)


def test_shared_instances_and_read_parameters() -> None:
    text = (
        "network A:\n    input a: int[N]\n    input b: int[N]\n    table = embedding(9, 4)\n"
        "    output y = (table(a) + table(b)) @ transpose(table.weight)\n"
    )
    found = graph(text)
    assert [node.badge for node in found.nodes.values() if node.title == "embedding"] == ["shared table"] * 2
    assert [node.title for node in found.nodes.values() if node.kind == "parameter"] == ["table.weight"]
