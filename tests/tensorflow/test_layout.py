"""Layout assignment: the lowered program means what the original meant, and transposes stand only where they must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlc import ir
from dlc.backends.api import Options
from dlc.backends.reference.interpreter import Interpreter
from dlc.backends.tensorflow.axes import ASKING, permutation, permuted
from dlc.backends.tensorflow.compile import TensorFlowBackend
from dlc.backends.tensorflow.layout import assign_layouts
from dlc.diagnostics import DlcError
from dlc.ir_text import read, show
from dlc.parameters import parameters
from dlc.spec.record import replace
from keras_models import check_agrees, written

PROGRAM = read((Path(__file__).parent / "programs" / "images.ir").read_text(encoding="utf-8"))


def spelled_out(program: ir.Program) -> ir.Program:
    """Channels-last ops as transposes around the plain op, which is what the attribute means."""
    return replace(program, modules=tuple(map(_module, program.modules)))


def _module(module: ir.Module) -> ir.Module:
    types, body = list(module.types), list[ir.Equation]()
    for equation in module.body:
        if equation.op not in ASKING:
            body.append(equation)
            continue
        assert equation.attribute("channels_last") is True
        data, result = equation.inputs[0], equation.outputs[0]
        assert data is not None
        rank = types[data].rank
        back = tuple(permutation(rank).index(axis) for axis in range(rank))
        plain = [_added(types, value, back) for value in (data, result)]
        attributes = tuple(item for item in equation.attributes if item[0] != "channels_last")
        body += [
            ir.Equation("transpose", (data,), (plain[0],), (("axes", ir.Static(back)),)),
            replace(equation, inputs=(plain[0], *equation.inputs[1:]), outputs=(plain[1],), attributes=attributes),
            ir.Equation("transpose", (plain[1],), (result,), (("axes", ir.Static(permutation(rank))),)),
        ]
    return replace(module, types=tuple(types), body=tuple(body))


def _added(types: list[ir.TensorType], value: int, order: tuple[int, ...]) -> int:
    types.append(ir.TensorType(types[value].dtype, tuple(types[value].shape[axis] for axis in order)))
    return len(types) - 1


def inputs_of(program: ir.Program, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(1)
    entry = program.module(program.entry)
    shapes = {"image": (sizes["N"], 4, 12, 10), "video": (sizes["N"], sizes["T"], 4, 6, 5)}
    return {port.name: generator.normal(size=shapes[port.name]).astype("float32") for port in entry.inputs}


def weights_of(program: ir.Program) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(2)
    return {p.path: generator.normal(size=p.shape).astype("float32") for p in parameters(program)}


def count(module: ir.Module, op: str) -> int:
    return sum(equation.op == op for equation in module.body)


def test_meaning_stays() -> None:
    lowered = spelled_out(assign_layouts(PROGRAM))
    weights = weights_of(PROGRAM)
    for sizes in ({"N": 2, "T": 3}, {"N": 1, "T": 1}):
        inputs = inputs_of(PROGRAM, sizes)
        expected = Interpreter(PROGRAM, weights, exact=True).run(inputs)
        found = Interpreter(lowered, weights, exact=True).run(inputs)
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            assert found[name].shape == array.shape
            np.testing.assert_allclose(found[name], array, rtol=1e-9, atol=1e-9, err_msg=name)


def test_meaning_stays_with_native_inputs() -> None:
    lowered = spelled_out(assign_layouts(PROGRAM, native_inputs=True))
    weights, inputs = weights_of(PROGRAM), inputs_of(PROGRAM, {"N": 2, "T": 3})
    expected = Interpreter(PROGRAM, weights, exact=True).run(inputs)
    native = inputs | {"image": np.moveaxis(inputs["image"], 1, -1)}
    found = Interpreter(lowered, weights, exact=True).run(native)
    np.testing.assert_allclose(found["logits"], expected["logits"], rtol=1e-9)


def test_one_transpose_at_the_entry_and_none_in_norms() -> None:
    lowered = assign_layouts(PROGRAM)
    norms = [module for module in lowered.modules if module.block.name == "norm"]
    assert len(norms) == 1
    assert count(norms[0], "transpose") == count(norms[0], "reshape") == 0
    assert norms[0].types[norms[0].inputs[0].value].shape[-1] == 4
    entry = lowered.module(lowered.entry)
    image = entry.inputs[0].value
    assert [equation.op for equation in entry.body if image in equation.inputs] == ["transpose"]


def test_a_module_that_flattens_takes_the_order_of_the_spec() -> None:
    lowered = assign_layouts(PROGRAM)
    (head,) = [module for module in lowered.modules if module.block.name == "head"]
    assert count(head, "transpose") == 0


def test_a_transpose_to_channels_last_is_absorbed() -> None:
    """`tokens` is a reshape of the last state as the loop left it."""
    lowered = assign_layouts(PROGRAM)
    entry = lowered.module(lowered.entry)
    tokens = next(port.value for port in entry.outputs if port.name == "tokens")
    (reshape,) = [equation for equation in entry.body if tokens in equation.outputs]
    (scan,) = [equation for equation in entry.body if equation.op == "scan"]
    assert reshape.inputs[0] == scan.outputs[1]


def test_the_loop_transposes_nothing() -> None:
    lowered = assign_layouts(PROGRAM)
    (cell,) = [module for module in lowered.modules if module.block.name == "cell"]
    assert count(cell, "transpose") == 0


def test_a_program_without_images_is_left_alone() -> None:
    plain = replace(PROGRAM, modules=(PROGRAM.module("norm#0"),), entry="norm#0")
    assert assign_layouts(plain) is plain


def test_is_deterministic_and_reads_back() -> None:
    text = show(assign_layouts(PROGRAM))
    assert text == show(assign_layouts(PROGRAM))
    assert show(read(text)) == text


def test_permuted() -> None:
    assert permuted("NCHW") == ("N", "H", "W", "C")


def test_transposes_of_the_spec_from_and_to_channels_last_are_none(tmp_path: Path) -> None:
    """A norm over channels amid convolutions (ConvNeXt); what is left is the border's."""
    norm = "transpose(layer_norm(transpose(x, [0, 2, 3, 1])), [0, 3, 1, 2])"
    text = f"block channel_norm:\n    input x: float[N, C, H, W]\n    output {norm}\n\n\n"
    text += "network Net:\n    input image: float[N, 3, 6, 6]\n"
    text += "    x = image -> conv2d(4, 3) -> channel_norm\n    x = x + (x -> channel_norm)\n"
    text += "    output pooled = x -> global_avg_pool\n    output y = x\n"
    unit = written(tmp_path, text)
    check_agrees(unit, tmp_path)
    code = (tmp_path / "case_tensorflow.py").read_text(encoding="utf-8")
    assert code.count("ops.transpose(") == 2
    assert "keras.layers.GlobalAveragePooling2D()" in code


def test_an_image_that_comes_channels_last_is_taken_as_it_is(tmp_path: Path) -> None:
    text = "network Net:\n    input image: float[N, 6, 6, 3]\n"
    text += "    y = transpose(image, [0, 3, 1, 2]) -> conv2d(4, 3)\n    output transpose(y, [0, 2, 3, 1])\n"
    check_agrees(written(tmp_path, text), tmp_path)
    assert "transpose" not in (tmp_path / "case_tensorflow.py").read_text(encoding="utf-8").split("def load_weights")[0]


def test_layouts_that_depend_on_the_mode_give_way(tmp_path: Path) -> None:
    """Dropout's training has equations that lead elsewhere than its inference: one class has both, so none is moved."""
    text = """
network A:
    input x: float[N, T, 4]
    y = transpose(x, [0, 2, 1]) -> conv1d(6, 3) -> relu -> dropout -> conv1d(6, 3) -> relu -> channel_dropout
    output transpose(y, [0, 2, 1]) -> dense(3)
"""
    unit = written(tmp_path, text)
    TensorFlowBackend().compile(unit, Options())
    with pytest.raises(DlcError, match="no one class"):  # else this tests nothing: take another network
        TensorFlowBackend().compile(unit, Options(native_layout=True))
