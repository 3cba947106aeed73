"""Pictures of the examples: everything of the network is there, nothing lies on anything else, text fits its box."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import dlc
import pytest
from dlc.graph.arrange import Placed, Plan
from dlc.graph.metrics import fit, text_width, wrap
from dlc.graph.model import Graph, Node
from dlc.graph.page import page
from dlc.graph.picture import Picture
from dlc.ir import Call, Scan

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
DOCS = EXAMPLES.parent / "docs"
NETWORKS = [
    *("lenet.dl:LeNet5", "resnet.dl:ResNet50", "transformer.dl:Transformer", "gat.dl:GAT", "unet.dl:UNet"),
    *("seq2seq.dl:Seq2Seq", "ntm.dl:CopyNTM", "char_lstm.dl:CharLSTM", "densenet.dl:DenseNet121", "vgg.yaml:VGG16"),
]


@cache
def picture(name: str) -> Picture:
    path, _, network = name.partition(":")
    return dlc.load(EXAMPLES / path)[network].graph()


@cache
def plan(name: str) -> Plan:
    return page(picture(name).drawing).plan


def plans(outer: Plan) -> Iterator[Plan]:
    yield outer
    for placed in outer.placed.values():
        if placed.inner is not None:
            yield from plans(placed.inner)


Rectangle = tuple[float, float, float, float]


def rectangle(placed: Placed) -> Rectangle:
    return placed.x, placed.y, placed.x + placed.width, placed.y + placed.height


def apart(a: Rectangle, b: Rectangle) -> bool:
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def is_box(placed: Placed) -> bool:
    return placed.node.kind not in ("in", "out")


@pytest.mark.parametrize("name", NETWORKS)
def test_no_two_boxes_overlap_and_inner_ones_are_inside(name: str) -> None:
    for level in plans(plan(name)):
        boxes = [placed for placed in level.placed.values() if is_box(placed)]
        for a, b in combinations(boxes, 2):
            assert apart(rectangle(a), rectangle(b)), f"{a.node.title} and {b.node.title} overlap"
        for placed in level.placed.values():
            if placed.inner is not None:
                for child in placed.inner.placed.values():
                    assert child.x >= 0
                    assert child.y >= 0
                    assert child.x + child.width <= placed.width
                    assert child.y + child.height <= placed.height + 0.01


@pytest.mark.parametrize("name", NETWORKS)
def test_lines_end_at_their_boxes_and_cross_no_other(name: str) -> None:
    for level in plans(plan(name)):
        for edge, line in zip(level.graph.edges, level.lines, strict=True):
            source, target = level.placed[edge.source.node], level.placed[edge.target.node]
            assert on_border(line[0], rectangle(source)), f"{edge} does not start at its box"
            assert on_border(line[-1], rectangle(target)), f"{edge} does not end at its box"
            for number, placed in level.placed.items():
                if is_box(placed) and number not in (edge.source.node, edge.target.node):
                    left, top, right, bottom = rectangle(placed)
                    for (x, y), (u, v) in pairwise(line):
                        piece = (min(x, u), min(y, v), max(x, u), max(y, v))
                        assert apart(piece, (left + 1, top + 1, right - 1, bottom - 1)), f"through {placed.node.title}"


def on_border(point: tuple[float, float], place: Rectangle) -> bool:
    (x, y), (left, top, right, bottom) = point, place
    within = left - 0.6 <= x <= right + 0.6 and top - 0.6 <= y <= bottom + 0.6
    return within and min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) < 0.6


@pytest.mark.parametrize("name", NETWORKS)
def test_text_fits_its_box_and_labels_touch_nothing(name: str) -> None:
    for level in plans(plan(name)):
        boxes = [placed for placed in level.placed.values() if is_box(placed)]
        for placed in boxes:
            for text in placed.texts:
                left, top, right, bottom = extent(text.text, text.x, text.y, text.size, text.anchor)
                assert left >= 0 and right <= placed.width, f"{text.text} is wider than its box"  # noqa: PT018
                assert top >= 0 and bottom <= placed.height, f"{text.text} is higher than its box"  # noqa: PT018
        labels = [extent(text.text, text.x, text.y, text.size, text.anchor) for text in level.labels]
        for a, b in combinations(labels, 2):
            assert apart(a, b), "two labels overlap"
        for label, text in zip(labels, level.labels, strict=True):
            for placed in boxes:
                assert apart(label, rectangle(placed)), f"{text.text} lies on {placed.node.title}"
            for edge, line in zip(level.graph.edges, level.lines, strict=True):
                for (x, y), (u, v) in pairwise(line):
                    piece = (min(x, u), min(y, v), max(x, u), max(y, v))
                    assert apart(piece, label), f"{text.text} lies on the line {edge}"


def extent(text: str, x: float, y: float, size: float, anchor: str) -> Rectangle:
    width = text_width(text, size)
    left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
    return left, y - 0.75 * size, left + width, y + 0.22 * size


@pytest.mark.parametrize("name", ["lenet.dl:LeNet5", "gat.dl:GAT", "vgg.yaml:VGG16", "unet.dl:UNet"])
def test_the_main_line_is_straight(name: str) -> None:
    """From the output up to an input there is a way without a bend."""
    found = plan(name)
    number, node = list(found.graph.nodes.items())[-1]
    while node.kind != "input":
        into = [(e, line) for e, line in zip(found.graph.edges, found.lines, strict=True) if e.target.node == number]
        number = next(edge.source.node for edge, line in into if len(line) == 2)
        node = found.graph.nodes[number]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_instance_is_drawn_or_folded(name: str) -> None:
    path, _, network = name.partition(":")
    program = dlc.load(EXAMPLES / path)[network].programs.inference
    entry = program.module(program.entry)
    calls = sum(isinstance(equation.target, Call | Scan) for equation in entry.body)
    assert sum(turns(picture(name).drawing.graph)) == calls


def turns(graph: Graph) -> Iterator[int]:
    """How many calls of the entry each of its nodes stands for."""
    for node in graph.nodes.values():
        if node.kind == "repeat":
            assert node.inner is not None
            yield node.count * sum(turns(node.inner))
        elif node.site is not None:
            yield node.count


def nodes(graph: Graph) -> Iterator[Node]:
    for node in graph.nodes.values():
        yield node
        if node.inner is not None:
            yield from nodes(node.inner)


@pytest.mark.parametrize("name", ["resnet.dl:ResNet50", "transformer.dl:Transformer", "gat.dl:GAT"])
def test_pictures_of_the_documentation(name: str, check_golden: Callable[[Path, str], None]) -> None:
    """Golden files that docs/graph.md shows. Look at them before you let them change."""
    check_golden(DOCS / "pictures" / f"{name.partition(':')[2].lower()}.svg", picture(name).svg())


@pytest.mark.parametrize("name", ["resnet.dl:ResNet50", "seq2seq.dl:Seq2Seq"])
def test_svg_is_xml_with_words_for_everything(name: str) -> None:
    root = ET.fromstring(picture(name).svg())
    space = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{space}title") == name.partition(":")[2]
    assert "float[" in (root.findtext(f"{space}desc") or "")
    for group in root.iter(f"{space}g"):
        assert group.findtext(f"{space}title"), "a group without a title"
    assert all(float(text.get("textLength", 0)) > 0 for text in root.iter(f"{space}text"))


def test_the_same_bytes_in_another_process() -> None:
    """With another hash seed: no order of a set shows."""
    code = (
        "import sys, dlc, hashlib\n"
        f"picture = dlc.load({str(EXAMPLES / 'gat.dl')!r})['GAT'].graph()\n"
        "print(hashlib.sha256(picture.svg().encode() + picture.png()).hexdigest())"
    )
    here = hashlib.sha256(picture("gat.dl:GAT").svg().encode() + picture("gat.dl:GAT").png()).hexdigest()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here


def test_png_shows_what_svg_shows() -> None:
    from io import BytesIO

    from PIL import Image

    image = Image.open(BytesIO(picture("lenet.dl:LeNet5").png()))
    sheet = picture("lenet.dl:LeNet5").sheet
    assert image.size == (round(sheet.width * 6) // 3, round(sheet.height * 6) // 3)
    shown = image.convert("RGB").getcolors(1 << 20) or []
    assert {(0xDC, 0xEA, 0xFC), (0xD6, 0xEE, 0xF1), (0xFB, 0xE0, 0xE0), (0xE6, 0xE2, 0xFB)} <= {c for _, c in shown}


def test_widths_of_text() -> None:
    assert text_width("conv2d", 10) == pytest.approx(10 * (0.5 + 0.556 + 0.556 + 0.5 + 0.556 + 0.556))
    assert text_width("×", 10) == pytest.approx(5.84)
    assert text_width("iiii", 10) == pytest.approx(4 * 2.22)
    assert text_width("Äβ漢", 10) == pytest.approx(6.67 + 6.67 + 10)
    assert fit("a" * 50, 10, 40).endswith("…")
    assert text_width(fit("a" * 50, 10, 40), 10) <= 40
    assert wrap("one, two, three, four", 10, 50, 2) == ["one, two,", "three, four"]
    assert wrap("one, two, three, four, five", 10, 50, 2)[-1].endswith("…")
