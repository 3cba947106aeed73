"""Layers that blocks are given: arguments of calls, registered once, proven, verified."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from dlc import networks
from dlc.backends.api import Options, Unit
from dlc.backends.common.fold import fold
from dlc.backends.common.form import Handed, Invoke, Slot
from dlc.backends.common.prove import Proof
from dlc.backends.common.structure import prepare
from dlc.backends.common.values import Refused
from dlc.backends.torch import backend
from dlc.diagnostics import DlcError
from dlc.parameters import parameters
from dlc.passes.resolve import load_project
from dlc.verify.run import Settings, verify
from torch_models import imported, require_ruff_clean, unit_of, write

ROOT = Path(__file__).parent.parent
PROGRAMS = ROOT / "torch" / "programs"
SPECS = (PROGRAMS / "layers.dl", PROGRAMS / "nested_layers.dl", *sorted((ROOT / "names").glob("layer_*.dl")))


def unit(path: Path) -> Unit:
    return networks.elaborate(load_project(path)).unit


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_agrees(path: Path):
    report = verify(unit(path), ["torch"], Settings(sizes=1, natives=(True, False)))
    assert report.cases
    assert {case.status for case in report.cases} == {"agrees"}


@pytest.mark.parametrize("natives", [True, False])
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_weight_is_registered_once_where_its_layer_was_made(path: Path, natives: bool, tmp_path: Path):
    spec = unit(path)
    (file,) = write(backend.compile(spec, Options(natives=natives)).files, tmp_path)
    require_ruff_clean(file)
    module = imported(file)
    for network in spec.networks:
        with torch.device("meta"):
            found = getattr(module, network.name)().state_dict()
        assert {key for key in found if "num_batches" not in key} == {p.path for p in parameters(network.training)}


@pytest.mark.parametrize(
    "wrong", [Handed(Slot("b")), Handed(Slot("h"), (("f", Handed(Slot("b"))),)), Handed(Slot("h"))]
)
def test_another_layer_is_no_proof(wrong: Handed, tmp_path: Path):
    """A form that hands on the wrong layer, or one that holds the wrong layer, is refused."""
    text = (
        "block twice(f: layer):\n    input x: float[N, D]\n    output f(x) + f(x)\n\n"
        "network Net:\n    input x: float[N, 4]\n    a = dense(4)\n    b = dense(4)\n    h = twice(a)\n"
        "    output y = a(x) + b(x) + twice(h)(x)\n"
    )
    folding = fold(unit_of(tmp_path, text), {})
    folded = folding.entry(0)
    assert folded.form is not None
    proof = Proof(folding.target, folding.module, lambda target: folding.of(target).arguments)
    (member, *_) = folded.members
    prepared = prepare(member.module, folding.uses[member.program][member.module.key])
    proof.check(folded.form, member.program, prepared)
    body = [
        replace(node, layers=(("f", wrong),)) if isinstance(node, Invoke) and node.layers else node
        for node in folded.form.body
    ]
    assert tuple(body) != folded.form.body
    with pytest.raises(Refused):
        proof.check(replace(folded.form, body=tuple(body)), member.program, prepared)


def test_one_function_takes_layers_of_any_class(tmp_path: Path):
    """`twice` is printed once for tables, norms, functions and layers that hold layers; its own kind among them."""
    (file,) = write(backend.compile(unit(PROGRAMS / "nested_layers.dl"), Options()).files, tmp_path)
    code = file.read_text(encoding="utf-8")
    assert code.count("def twice") == 1
    assert "twice(x, functools.partial(twice, f=scaled_2))" in code
    assert "def twice(x: Tensor, f: Callable[..., Tensor]) -> Tensor:" in code


@pytest.mark.parametrize(
    "last",
    ["made([dense(4), dense(4)])", "tied(twice(dense(4)))"],
    ids=["code at construction", "a parameter of a layer with its layers"],
)
def test_what_is_not_printed_is_said(last: str, tmp_path: Path):
    text = (
        "block twice(f: layer):\n    input x: float[N, D]\n    param gain: float[D] = 1\n    output f(f(x)) * gain\n\n"
        "block tied(f: layer):\n    input x: float[N, D]\n    output f(x) * f.gain\n\n"
        "block made(fs: list[layer]):\n    input x: float[N, D]\n    for _ in range(len(fs)):\n"
        "        x = x -> dense(D)\n    for f in fs:\n        x = f(x)\n    output x\n\n"
        f"network Net:\n    input x: float[N, 4]\n    output y = x -> {last} -> twice(dense(4))\n"
    )
    with pytest.raises(DlcError) as caught:
        backend.compile(unit_of(tmp_path, text), Options())
    assert [one.code for one in caught.value.diagnostics] == ["E0702"]
