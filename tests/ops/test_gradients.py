"""The gradient of every op, for every sample: against differences of its NumPy meaning, and against torch."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from dlc.ir import FLOATS
from dlc.ops import FAMILIES, OPS
from dlc.ops import gradients as families
from dlc.ops.api import Op, Sample
from dlc.ops.gradients.api import Applied, Builder, Cotangents, Gradient, unary
from dlc.ops.gradients.shaping import kept
from dlc.ops.samples import Case, draw, floats, sample, value
from gradient_programs import OneOp, drawn, one_op
from torch_meanings import MEANINGS

#: Ops through which nothing flows back, and why. All others are differentiable.
NOTHING_FLOWS = {
    **dict.fromkeys(("sign", "floor", "ceil", "round", "floor_divide"), "the derivative is 0 but at jumps"),
    **dict.fromkeys(("isnan", "isinf", "isfinite"), "gives bools"),
    "stop_gradient": "that is its meaning",
    **dict.fromkeys(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"), "gives bools"),
    **dict.fromkeys(("logical_not", "logical_and", "logical_or", "logical_xor", "any", "all"), "bools in, bools out"),
    **dict.fromkeys(("argmax", "argmin", "argsort", "segment_count"), "gives ints"),
    "one_hot": "takes ints",
    **dict.fromkeys(("constant", "dimension", "arange"), "takes nothing"),
}
_SEGMENT_TIES = sample(
    value("float", [[1.0, 2.0], [1.0, 3.0], [4.0, 3.0], [1.0, 3.0]]), value("int", [1, 1, 0, 1]), count=3, name="ties"
)
_TIES = value("float", [[1.0, 2.0, 2.0], [3.0, 3.0, 3.0], [0.5, 0.0, -0.5]])
_ZEROS = value("float", [[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]])
#: Ties, zeros and other edges that matter to gradients only.
EDGES = {
    "abs": (sample(value("float", [-1.0, 0.0, 2.0]), name="zero"),),
    "clip": (sample(value("float", [-1.0, 0.0, 0.5, 1.0, 2.0]), low=0.0, high=1.0, name="ends"),),
    "maximum": (sample(_TIES, value("float", [2.0, 2.0, 3.0]), name="ties"),),
    "minimum": (sample(_TIES, value("float", [2.0, 2.0, 3.0]), name="ties"),),
    "power": (sample(value("float", [0.0, 0.0, 2.0, 0.0]), value("float", [1.0, 3.5, 0.0, 1.5]), name="zeros"),),
    "max": (sample(_TIES, axis=1, name="ties"), sample(_TIES, name="all ties")),
    "min": (sample(_TIES, axis=1, name="ties"), sample(_TIES, axis=(0,), keepdims=True, name="column ties")),
    "prod": (sample(_ZEROS, axis=1, name="zeros"), sample(_ZEROS, axis=(0, 1), name="all zeros")),
    "max_pool": (
        sample(value("float", [[[1.0, 1.0, 0.0, 2.0, 2.0, 2.0]]]), kernel=3, padding=1, stride=1, name="ties"),
        sample(floats(1, 2, 7, 8), kernel=(3, 2), stride=(2, 3), padding=1, ceil_mode=True, name="ceil uneven"),
    ),
    "segment_max": (sample(_TIES, value("int", [0, 0, 2]), count=4, name="no ties"), _SEGMENT_TIES),
    "segment_min": (_SEGMENT_TIES,),
    "scatter": (
        sample(
            _TIES,
            value("int", [[0, 0], [1, 2], [0, 1]]),
            value("float", [[1.0, 1.0], [3.0, 4.0], [0.5, -1.0]]),
            reduction="max",
            name="ties",
        ),
    ),
    "einsum": (
        sample(floats(3, 2, 3), floats(2, 4), pattern="iji,jk->k", name="diagonal and others"),
        sample(floats(3, 3, 3), pattern="iii->i", name="diagonal of a cube"),
        sample(floats(3, 2, 3), pattern="iji->", name="trace"),
        sample(floats(2, 3), floats(2, 3), pattern="ij,ij->", name="inner"),
        sample(floats(2), pattern="i->i", name="identity"),
        sample(floats(1, 3), floats(3, 0), pattern="ij,jk->ik", name="empty"),
    ),
    "slice": (
        sample(floats(7, 8), items=(("slice", 5, None, -2), ("slice", 1, 7, 4)), name="uneven steps"),
        sample(floats(2, 5, 3), items=(("index", 1), ("slice", None, 1, -3), ("index", 2)), name="index and back"),
    ),
    "conv": (
        sample(floats(2, 2, 8), floats(3, 2, 3), stride=3, padding=((2, 1),), dilation=2, name="left over"),
        sample(floats(1, 2, 9, 7), floats(4, 1, 2, 3), stride=(3, 2), padding=1, groups=2, name="left over, groups"),
        sample(floats(2, 2, 3), floats(2, 2, 2), padding=4, name="mostly padding"),
        sample(floats(1, 1, 0), floats(1, 1, 2), padding=1, name="padding only"),
    ),
    "conv_transpose": (
        sample(floats(1, 2, 3), floats(2, 2, 3), stride=3, dilation=4, output_padding=2, name="much more"),
        sample(floats(1, 4, 3), floats(4, 1, 3), stride=2, padding=((2, 0),), groups=4, name="depthwise"),
    ),
    "sum": (sample(floats(3, 1), axis=(0, 1), name="over a size 1"),),
    "add": (sample(floats(1, 3, 1), floats(2, 1, 1, 1), name="ones that stay"),),
}
CASES = [
    pytest.param(op, sample, id=f"{op.name}-{sample.name or 'plain'}")
    for op in OPS.values()
    if op.name not in NOTHING_FLOWS
    for sample in (*op.samples, *EDGES.get(op.name, ()))
]


def found(program: OneOp, case: Case, cotangents: Sequence[Any]) -> list[Any]:
    """The gradient of each float operand, 0 where nothing flows."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flowing = [item for item in program.found if item is not None]
        arrays = iter(program.tape.run([*case.operands, *cotangents], flowing))
    pairs = zip(program.found, case.operands, strict=True)
    gradients = [np.zeros(array.shape) if item is None else next(arrays) for item, array in pairs]
    return [item for item, array in zip(gradients, case.operands, strict=True) if array.dtype.kind == "f"]


def gradient(op: Op, sample: Sample, *, finite: bool = False) -> tuple[Case, list[Any], list[Any]]:
    """The case, cotangents of its float results, and gradients of its float operands.

    finite: nothing comes back from results that are not.
    """
    case = draw(op, sample)
    results = case.evaluate()
    cotangents = drawn(results, seed=7)
    if finite:
        numbers = [item for item in results if item.dtype.kind == "f"]
        cotangents = [np.where(np.isfinite(item), g, 0) for item, g in zip(numbers, cotangents, strict=True)]
    program = one_op(op, case.types, {**case.attributes})
    for flowing, type_ in zip(program.found, case.types, strict=True):
        assert flowing is None or (flowing.type == type_ and type_.dtype in FLOATS)
    return case, cotangents, found(program, case, cotangents)


# --- the table -------------------------------------------------------------------------------------------------


def test_every_op_is_differentiable_or_says_that_it_is_not() -> None:
    assert set(families.GRADIENTS) == set(OPS)
    assert {name for name, op in OPS.items() if op.gradient is None} == set(NOTHING_FLOWS)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_its_gradients_in_one_file(family: str) -> None:
    assert list(getattr(families, family).GRADIENTS) == [op.name for op in FAMILIES[family]]


def test_gradients_are_not_imported_with_the_ops() -> None:
    code = "import sys, dlc.ops, dlc.api; sys.exit(any(name.startswith('dlc.ops.gradients') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- differences -----------------------------------------------------------------------------------------------

STEP = 1e-6
#: Samples that stand on a kink or a jump on purpose: there, differences mean nothing, and torch is the judge.
KINKS = {
    *(("relu", "ints"), ("relu", "extremes"), ("abs", "zero"), ("clip", "ends"), ("remainder", "signs")),
    *(("maximum", "ties"), ("minimum", "ties"), ("max", "ties"), ("max", "all ties")),
    *(("min", "ties"), ("max_pool", "ties"), ("segment_max", "ties"), ("segment_min", "ties")),
    ("scatter", "ties"),
}
#: A cast to float32 moves in steps; torch is the judge.
ROUNDED = ("cast", "to f32")


def differences(case: Case, cotangents: Sequence[Any], place: int, base: Sequence[Any]) -> tuple[Any, Any]:
    """The slopes of sum(cotangent * result) after and before each element of operand `place`."""
    operands = [array.copy() for array in case.operands]
    moved = operands[place]
    after, before = np.full(moved.shape, np.nan), np.full(moved.shape, np.nan)

    def total() -> float:
        results = [item for item in case.op.evaluate(operands, case.attributes) if item.dtype.kind == "f"]
        changes = [np.where(np.isfinite(start), item - start, 0) for item, start in zip(results, base, strict=True)]
        return sum(float(np.sum(change * g)) for change, g in zip(changes, cotangents, strict=True))

    for index in np.ndindex(moved.shape):
        old = moved[index]
        moved[index] = old + STEP
        after[index] = total() / STEP
        moved[index] = old - STEP
        before[index] = -total() / STEP
        moved[index] = old
    return after, before


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_equals_differences(op: Op, sample: Sample) -> None:
    if (op.name, sample.name) == ROUNDED:
        return
    case, cotangents, ours = gradient(op, sample, finite=True)
    base = [item for item in case.evaluate() if item.dtype.kind == "f"]
    places = [place for place, array in enumerate(case.operands) if array.dtype.kind == "f"]
    kinks = 0
    for place, mine in zip(places, ours, strict=True):
        array = case.operands[place]
        with np.errstate(all="ignore"):
            after, before = differences(case, cotangents, place, base)
            sane = np.isfinite(array) & (np.abs(array) < 1e5) & np.isfinite(after + before) & np.isfinite(mine)
            smooth = np.abs(after - before) <= 1e-3 * (1 + np.abs(after))
        kinks += int((sane & ~smooth).sum())
        sane &= smooth
        scale = max(1.0, float(np.abs(mine[sane]).max(initial=0.0)))
        np.testing.assert_allclose(mine[sane], ((after + before) / 2)[sane], rtol=1e-6, atol=1e-7 * scale)
    assert (kinks > 0) == ((op.name, sample.name) in KINKS)


def _wrong_matmul(b: Builder, use: Applied) -> Cotangents:
    left, right = matmul(b, use)
    return left, None if right is None else -right


def _wrong_max(b: Builder, use: Applied) -> Cotangents:
    """All that are equal get all."""
    x = use.operands[0]
    chosen = b("cast", b("equal", x, kept(b, use.results[0], use)), dtype=x.type.dtype)
    return (kept(b, use.cotangent, use) * chosen,)


matmul = families.contraction.GRADIENTS["matmul"]
#: A wrong gradient, and a sample of the op that must show it to differences, or to torch alone.
WRONG: list[Any] = [
    pytest.param("tanh", 0, unary(lambda b, x, y, g: g * (1 - y)), True, id="tanh"),
    pytest.param("matmul", 2, _wrong_matmul, True, id="matmul"),
    pytest.param("max", -2, _wrong_max, False, id="ties of max"),
]


@pytest.mark.parametrize(("name", "place", "wrong", "smooth"), WRONG)
def test_a_wrong_gradient_is_caught(
    name: str, place: int, wrong: Gradient, smooth: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    op = OPS[name]
    chosen = (*op.samples, *EDGES.get(name, ()))[place]
    monkeypatch.setitem(families.GRADIENTS, name, wrong)
    if smooth:
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            test_equals_differences(op, chosen)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        test_agrees_with_torch(op, chosen)


# --- torch -----------------------------------------------------------------------------------------------------

_NOTHING = "torch gives NaN over nothing"
#: Samples where we differ from torch, and why.
DIFFERENT = {
    ("softmax", "all masked"): _NOTHING,
    ("log_softmax", "all masked"): _NOTHING,
    ("logsumexp", "all masked"): _NOTHING,
    ("segment_softmax", "nothing to attend to"): _NOTHING,
    ("segment_max", "no ties"): "torch counts the 0 that it starts from as one that ties",
}


def by_torch(case: Case, cotangents: Sequence[Any]) -> list[Any]:
    tensors = [torch.from_numpy(array.copy()) for array in case.operands]
    floats = [tensor.requires_grad_() for tensor in tensors if tensor.is_floating_point()]
    results = MEANINGS[case.op.name](tensors, case.attributes)
    listed = list(results) if isinstance(results, (tuple, list)) else [results]
    pairs = [(result, g) for result, g in zip(listed, cotangents, strict=False) if result.requires_grad]
    if not pairs:
        return [np.zeros(tensor.shape) for tensor in floats]
    outputs, arrived = [result for result, _ in pairs], [torch.from_numpy(g) for _, g in pairs]
    with torch.no_grad():
        gradients = torch.autograd.grad(outputs, floats, arrived, allow_unused=True)
    pairs = zip(gradients, floats, strict=True)
    return [np.zeros(tensor.shape) if item is None else item.numpy() for item, tensor in pairs]


def require_equal(ours: Any, theirs: Any) -> None:
    """Raises AssertionError unless both are NaN and infinite at the same places and elsewhere within 1e-11."""
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_array_equal(ours[np.isinf(ours)], theirs[np.isinf(ours)])
    finite = np.isfinite(ours)
    scale = float(np.abs(theirs[finite & np.isfinite(theirs)]).max(initial=1.0))
    np.testing.assert_allclose(ours[finite], theirs[finite], rtol=1e-11, atol=1e-12 * min(scale, 1e3))


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_agrees_with_torch(op: Op, sample: Sample) -> None:
    case, cotangents, ours = gradient(op, sample)
    pairs = list(zip(ours, by_torch(case, cotangents), strict=True))
    if (op.name, sample.name) not in DIFFERENT:
        for mine, theirs in pairs:
            require_equal(mine, theirs)
        return
    (mine, theirs), *_ = pairs
    assert np.isfinite(mine).all()
    with pytest.raises(AssertionError):
        require_equal(mine, theirs)


def flowing_back(name: str, x: list[float], cotangent: list[float], **attributes: object) -> list[float]:
    """The gradient of an op of one vector."""
    op = OPS[name]
    case = draw(op, sample(value("float", x), **attributes))
    program = one_op(op, case.types, case.attributes)
    return found(program, case, [np.asarray(cotangent)])[0].tolist()


INF = float("inf")


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (lambda: flowing_back("softmax", [-INF, -INF], [1.0, 2.0]), [0.0, 0.0]),
        (lambda: flowing_back("logsumexp", [-INF, -INF], 3.0), [0.0, 0.0]),
        (lambda: flowing_back("log_softmax", [-INF, -INF], [1.0, 2.0]), [1.0, 2.0]),
        (lambda: flowing_back("relu", [-1.0, 0.0, 1.0], [1.0, 1.0, 1.0]), [0.0, 0.0, 1.0]),
        (lambda: flowing_back("abs", [-1.0, 0.0, 1.0], [1.0, 1.0, 1.0]), [-1.0, 0.0, 1.0]),
        (lambda: flowing_back("clip", [-1.0, 0.0, 1.0, 2.0], [1.0] * 4, low=0, high=1), [0.0, 1.0, 1.0, 0.0]),
        (lambda: flowing_back("max", [1.0, 3.0, 3.0], 1.0), [0.0, 0.5, 0.5]),
        (lambda: flowing_back("sqrt", [0.0, 4.0], [1.0, 1.0]), [INF, 0.25]),
        (lambda: flowing_back("prod", [0.0, 3.0, 2.0], 1.0), [6.0, 0.0, 0.0]),
        (lambda: flowing_back("stop_gradient", [1.0], [1.0]), [0.0]),
    ],
)
def test_conventions(got: Callable[[], list[float]], expected: list[float]) -> None:
    assert got() == expected
