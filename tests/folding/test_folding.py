"""Folding: small specs whose classes are looked at, run, and proven; broken folds must be refused."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlc import networks
from dlc.backends.api import Options, Unit
from dlc.backends.common.fold import Folding, fold
from dlc.backends.common.form import (
    Bind,
    Branch,
    Form,
    Formula,
    Invoke,
    Known,
    Loop,
    Make,
    Node,
    Own,
    Run,
    Var,
    Weight,
    walk,
)
from dlc.backends.common.form import Sequence as Body
from dlc.backends.common.prove import Proof
from dlc.backends.common.values import Refused
from dlc.backends.torch import backend
from dlc.backends.torch.runner import Runner
from dlc.passes.resolve import load_project
from dlc.spec.syntax import Binary, Constant

sys.path.insert(0, str(Path(__file__).parent.parent / "torch"))
from torch_models import require_ruff_clean, write

CASES = Path(__file__).parent / "cases"
NAMES = tuple(sorted(path.stem for path in CASES.glob("*.dl")))


def unit_of(name: str) -> Unit:
    return networks.elaborate(load_project(CASES / f"{name}.dl")).unit


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("natives", [True, False])
def test_golden(name: str, natives: bool, check_golden: Callable[[Path, str], None]):
    artifact = backend.compile(unit_of(name), Options(natives=natives))
    text = artifact.files[f"{name}_torch.py"]
    assert isinstance(text, str)
    path = CASES / (f"{name}.py.txt" if natives else f"{name}_plain.py.txt")
    check_golden(path, text)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("natives", [True, False])
def test_code_is_clean(name: str, natives: bool, tmp_path: Path):
    artifact = backend.compile(unit_of(name), Options(natives=natives))
    for path in write(artifact.files, tmp_path):
        require_ruff_clean(path)


@pytest.mark.parametrize(
    "name", ["branches", "carried", "counted", "densenet", "long", "loops", "masked", "nested_choices", "started"]
)
def test_agrees_with_the_oracle(name: str, tmp_path: Path):
    """dlc's own verification, natives and not, both modes."""
    from dlc.cli import main

    assert main(["verify", str(CASES / f"{name}.dl"), "--backends", "torch"]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_natives_are_removable(name: str, tmp_path: Path):
    """One weights file, same numbers, with natives and without."""
    import torch

    unit = unit_of(name)
    results: list[dict[str, Any]] = []
    weights: dict[str, Any] | None = None
    for natives in (True, False):
        folder = tmp_path / str(natives)
        folder.mkdir()
        artifact = backend.compile(unit, Options(natives=natives))
        write(artifact.files, folder)
        runner = Runner()
        runner.load(str(folder), artifact.entries[unit.networks[0].name], None, "f32")
        assert runner.model is not None
        state = {key: value for key, value in runner.model.state_dict().items() if "num_batches" not in key}
        if weights is None:
            torch.manual_seed(1)
            weights = {key: torch.rand_like(value) + 0.5 for key, value in state.items()}
        assert list(state) == list(weights) or set(state) == set(weights)
        runner.model.load_state_dict(weights, strict=natives is False)
        results.append(runner.run(inputs_of(unit), False))
    for key, value in results[0].items():
        np.testing.assert_allclose(value, results[1][key], rtol=2e-5, atol=2e-5)


def inputs_of(unit: Unit) -> dict[str, Any]:
    program = unit.networks[0].inference
    module = program.table[program.entry]
    draws = np.random.default_rng(0)
    found: dict[str, Any] = {}
    for port in (*module.inputs, *module.states):
        kind = module.types[port.value]
        shape = tuple(size if isinstance(size, int) else 4 if str(size) == "T" else 2 for size in kind.shape)
        integers = draws.integers(1, 4, shape)
        found[port.name] = integers if kind.dtype == "int" else draws.normal(size=shape).astype(np.float32)
    return found


# --- the proof -----------------------------------------------------------------------------------------------------


def proven(folding: Folding, form: Form, index: int) -> None:
    proof = Proof(folding.target, folding.module, lambda target: folding.of(target).arguments)
    for member in folding.classes[index].members:
        proof.check(form, member.program, folding.prepared[member.program, member.module.key])


def sabotaged(body: Body) -> Iterator[tuple[str, Body]]:
    """Each way to spoil one node."""
    for place, node in enumerate(body):
        for what, spoilt in spoil(node):
            yield what, (*body[:place], *spoilt, *body[place + 1 :])


def spoil(node: Node) -> Iterator[tuple[str, Body]]:
    match node:
        case Run():
            yield "node left out", ()
            yield "node twice", (node, node)
            yield "other op", (dataclasses.replace(node, op="tanh" if node.op != "tanh" else "exp"),)
            if len(node.operands) > 1 and node.operands[0] != node.operands[1]:
                swapped = (node.operands[1], node.operands[0], *node.operands[2:])
                yield "operands swapped", (dataclasses.replace(node, operands=swapped),)
            for number, (name, value) in enumerate(node.attributes):
                changed = list(node.attributes)
                changed[number] = (name, wrong(value))
                yield f"wrong {name}", (dataclasses.replace(node, attributes=tuple(changed)),)
        case Make():
            for number, (name, value) in enumerate(node.hyperparameters):
                changed = list(node.hyperparameters)
                changed[number] = (name, wrong(value))
                yield f"wrong {name}", (dataclasses.replace(node, hyperparameters=tuple(changed)),)
            for number, (name, value) in enumerate(node.dims):
                sizes = list(node.dims)
                sizes[number] = (name, wrong(value))
                yield f"wrong {name}", (dataclasses.replace(node, dims=tuple(sizes)),)
        case Invoke():
            yield "call left out", ()
            yield "other instance", (dataclasses.replace(node, slot=dataclasses.replace(node.slot, site="other")),)
        case Bind():
            for number, (axis, value) in enumerate(node.extents):
                claims = list(node.extents)
                claims[number] = (axis, wrong(value))
                yield f"wrong size of axis {axis}", (dataclasses.replace(node, extents=tuple(claims)),)
        case Loop():
            yield "loop turned", (dataclasses.replace(node, iterable=reversed_(node)),)
            for what, body in sabotaged(node.body):
                yield f"in a loop: {what}", (dataclasses.replace(node, body=body),)
        case Branch():
            if all(arm is not None for arm in node.arms) and len(node.arms) == 2:
                yield "arms swapped", (dataclasses.replace(node, arms=(node.arms[1], node.arms[0])),)
            for number, arm in enumerate(node.arms):
                for what, body in sabotaged(arm or ()):
                    arms = (*node.arms[:number], body, *node.arms[number + 1 :])
                    yield f"in an arm: {what}", (dataclasses.replace(node, arms=arms),)
        case _:
            return


def reversed_(node: Loop) -> Any:
    """One turn fewer than there should be."""
    from dlc.spec.syntax import Index, Slice

    return Index(node.iterable, (Slice(Constant(1), None, None),))


def wrong(value: Any) -> Any:
    if isinstance(value, Formula):
        return Formula(Binary("+", value.source, Constant(1)))
    return Known("something else")


@pytest.mark.parametrize("name", NAMES)
def test_proof_refuses_every_sabotage(name: str):
    folding = fold(unit_of(name), {})
    count = 0
    for folded in folding.classes:
        assert folded.form is not None
        proven(folding, folded.form, folded.index)
        for _, body in sabotaged(folded.form.body):
            with pytest.raises(Refused):
                proven(folding, dataclasses.replace(folded.form, body=body), folded.index)
            count += 1
        for number, weight in enumerate(folded.form.weights):
            spoilt = dataclasses.replace(weight, shape=tuple(wrong(size) for size in weight.shape), name=weight.name)
            weights: tuple[Weight, ...] = (*folded.form.weights[:number], spoilt, *folded.form.weights[number + 1 :])
            with pytest.raises(Refused):
                proven(folding, dataclasses.replace(folded.form, weights=weights), folded.index)
    assert count > 10


def test_proof_refuses_another_result():
    folding = fold(unit_of("masked"), {})
    attention = next(one for one in folding.classes if one.block.name == "attention")
    assert attention.form is not None
    outputs = tuple((name, Own("x")) for name, _ in attention.form.outputs)
    with pytest.raises(Refused):
        proven(folding, dataclasses.replace(attention.form, outputs=outputs), attention.index)


def test_attention_is_one_class_with_an_optional_mask():
    folding = fold(unit_of("masked"), {})
    (attention,) = [one for one in folding.classes if one.block.name == "attention"]
    assert attention.form is not None
    assert attention.form.inputs == (("x", False), ("mask", True))
    assert any(isinstance(node, Branch) for node in walk(attention.form.body))


def test_loop_of_layers_is_a_loop():
    folding = fold(unit_of("loops"), {})
    loops = next(one for one in folding.classes if one.block.name == "Loops")
    assert loops.form is not None
    assert sum(isinstance(node, Loop) for node in walk(loops.form.body)) >= 3
    binds = [node for node in walk(loops.form.body) if isinstance(node, Bind) and node.name == "x"]
    assert all(not isinstance(bind.content, Var) for bind in binds)


def test_same_bytes_for_any_hash_seed(tmp_path: Path):
    import os
    import subprocess

    program = (
        "import sys; from dlc import networks; from dlc.passes.resolve import load_project;"
        "from dlc.backends.torch import backend; from dlc.backends.api import Options;"
        "u = networks.elaborate(load_project(sys.argv[1])).unit;"
        "print(*backend.compile(u, Options()).files.values())"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program, str(CASES / "loops.dl")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(texts) == 1
