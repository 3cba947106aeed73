"""Gradients have gradients, and hold for sizes that are not known."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from dlc.ir import FLOATS, TensorType
from dlc.ops import OPS
from dlc.ops.api import Op, OpError, Sample
from dlc.ops.gradients.api import Value
from dlc.ops.samples import Case, draw
from gradient_programs import Form, OneOp, backwards, concrete, drawn, one_op, symbolic_forms

DIFFERENTIABLE = [op for op in OPS.values() if op.gradient is not None]
SAMPLES = [(op, sample) for op in DIFFERENTIABLE for sample in op.samples]


def named(op: Op, sample: Sample) -> str:
    return f"{op.name}-{sample.name or 'plain'}"


def values(program: OneOp, arrays: Sequence[Any], sizes: Mapping[str, int] = {}) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return program.tape.run(arrays, [item for item in program.found if item is not None], sizes)


# --- sizes that are not known ----------------------------------------------------------------------------------


SYMBOLIC = [
    pytest.param(form, id=f"{named(op, sample)}-{form.size}")
    for op, sample in SAMPLES
    for form in symbolic_forms(draw(op, sample))
]


def test_most_samples_have_a_symbolic_form() -> None:
    assert len(SYMBOLIC) > 600
    assert {item.values[0].case.op.name for item in SYMBOLIC} == {op.name for op in DIFFERENTIABLE}


@pytest.mark.parametrize("form", SYMBOLIC)
def test_symbolic_sizes_give_the_same(form: Form) -> None:
    case = form.case
    arrays = [*case.operands, *drawn(case.evaluate(), seed=3)]
    known = one_op(case.op, case.types, case.attributes)
    unknown = one_op(case.op, form.types, form.attributes)
    for a, b in zip(values(unknown, arrays, {"S": form.size}), values(known, arrays), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


#: Over a spatial axis that is empty at run time, windows of padding alone have no gradient: type rules refuse it.
NEVER_EMPTY = {"conv", "conv_transpose", "avg_pool", "slice"}
FLOAT_FORMS = [item for item in SYMBOLIC if all(type_.dtype == "float" for type_ in item.values[0].types)]


@pytest.mark.parametrize("form", FLOAT_FORMS)
def test_symbolic_sizes_hold_for_other_sizes(form: Form) -> None:
    """What was left over of a stride is another for each size."""
    op, generator = form.case.op, np.random.default_rng(2)
    unknown = one_op(op, form.types, form.attributes)
    smallest = 1 if op.name in NEVER_EMPTY else 0
    for size in (*range(smallest, 3), *range(form.size + 1, form.size + 4)):
        sizes = {"S": size}
        types = [TensorType(item.dtype, concrete(item.shape, sizes)) for item in form.types]
        attributes = {name: concrete(item, sizes) for name, item in form.attributes.items()}
        try:
            results = op.infer(types, attributes)
        except OpError:  # a window that fits into no such input, sizes that would have to be equal
            continue
        if [item.shape for item in results] != [concrete(item.type.shape, sizes) for item in unknown.results]:
            continue  # a slice that is clamped
        operands = [np.asarray(generator.normal(size=item.shape)) for item in types]
        arrays = [*operands, *drawn(op.evaluate(operands, attributes), seed=3)]
        known = one_op(op, types, attributes)
        for a, b in zip(values(unknown, arrays, sizes), values(known, arrays), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


# --- gradients of gradients ------------------------------------------------------------------------------------


STEP = 1e-6
#: Samples on a kink, where a second difference means nothing.
KINKS = {"relu-ints", "remainder-signs"}


def smooth(case: Case) -> bool:
    """All operands are numbers of a size that a step shows in."""
    floats = [array for array in case.operands if array.dtype.kind == "f"]
    results = [array for array in case.evaluate() if array.dtype.kind == "f"]
    return all(np.isfinite(item).all() and (np.abs(item) < 1e3).all() for item in (*floats, *results))


SMOOTH = [
    pytest.param(op, sample, id=named(op, sample))
    for op, sample in SAMPLES
    if smooth(draw(op, sample)) and any(type_.dtype in FLOATS for type_ in draw(op, sample).types)
]


@pytest.mark.parametrize(("op", "sample"), SMOOTH)
def test_second_gradient_equals_differences(op: Op, sample: Sample) -> None:
    """Of sum(w * gradient), along a direction, by the operands and by the cotangents that the gradient started from."""
    case = draw(op, sample)
    program = one_op(op, case.types, case.attributes)
    tape = program.tape
    arrays = [*case.operands, *drawn(case.evaluate(), seed=3)]
    first = [item for item in program.found if item is not None]
    weights = drawn(values(program, arrays), seed=5)
    inputs = [item for item in (*program.operands, *program.seeds) if item.type.dtype in FLOATS]
    equations = len(tape.equations)
    seeds: dict[int, Value] = {}
    for item in first:  # one value may be the gradient of two operands
        seed = tape.input(item.type)
        seeds[item.content] = seeds[item.content] + seed if item.content in seeds else seed
    second = backwards(tape, seeds, inputs)
    found = tape.run([*arrays, *weights], [item for item in second if item is not None])
    tape.equations, tape.inputs = tape.equations[:equations], tape.inputs[: len(arrays)]

    def total(moved: Sequence[Any]) -> float:
        return sum(float(np.sum(w * item)) for w, item in zip(weights, values(program, moved), strict=True))

    flowing, kinks = iter(found), 0
    generator = np.random.default_rng(11)
    for item, by in zip(inputs, second, strict=True):
        place = tape.inputs.index(item.content)
        gradient = np.zeros(arrays[place].shape) if by is None else next(flowing)
        direction = generator.normal(size=gradient.shape)
        after, before = (
            [array + sign * STEP * direction if index == place else array for index, array in enumerate(arrays)]
            for sign in (1, -1)
        )
        here = total(arrays)
        slopes = (total(after) - here) / STEP, (here - total(before)) / STEP
        kink = abs(slopes[0] - slopes[1]) > 1e-3 * (1 + abs(slopes[0]))
        kinks += kink
        if not kink:
            np.testing.assert_allclose(np.sum(gradient * direction), sum(slopes) / 2, rtol=1e-6, atol=1e-6)
    assert (kinks > 0) == (named(op, sample) in KINKS)
