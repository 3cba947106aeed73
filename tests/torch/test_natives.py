"""torch's own layers against the bodies that they stand for: values and gradients, at kinks and ends too.

What each condition keeps out is in `tests/planted/native_specs.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
import torch
from dlc.backends.api import Options
from dlc.backends.common.native import Native
from dlc.backends.torch import backend
from dlc.backends.torch.natives import NATIVES
from dlc.backends.torch.natives.losses import is_positive, same_shapes
from dlc.backends.torch.natives.normalisation import has_positions, shares_groups
from dlc.dims import symbol
from dlc.ir import Module, Port, Static, TensorType
from dlc.ops import OPS
from dlc.spec.record import replace
from torch_models import imported, op_unit, unit_of, write

#: Every kink and end of the activations, and far values. `leaky_relu(-0.0)` and the like too.
POINTS = (0.0, -0.0, 0.2, -0.2, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 6.0, -6.0, 20.0, -20.0, 90.0, -90.0)
KINDS: Mapping[str, tuple[int, ...]] = {
    "float[18]": (18,),
    "float[N, 6]": (3, 6),
    "float[N, T, 6]": (2, 3, 6),
    "float[N, 4, L]": (2, 4, 9),
    "float[N, 4, 9]": (2, 4, 9),
    "float[N, 4, 7, 8]": (2, 4, 7, 8),
    "float[N, 4, 3, 4, 5]": (2, 4, 3, 4, 5),
}
LINE, MATRIX, SEQUENCE, OPEN, SIGNAL, IMAGE, SOLID = KINDS
#: By the native's key: input and expressions.
SPECS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "leaky_relu": (LINE, ("leaky_relu", "leaky_relu(slope=0.3)")),
    "elu": (LINE, ("elu", "elu(alpha=0.5)")),
    "celu": (LINE, ("celu", "celu(alpha=0.5)")),
    "soft_shrink": (LINE, ("soft_shrink", "soft_shrink(0.2)", "soft_shrink(0.0)")),
    "hard_shrink": (LINE, ("hard_shrink", "hard_shrink(0.2)", "hard_shrink(0.0)")),
    "gelu": (LINE, ("gelu", "gelu(approximate=true)")),
    "silu": (LINE, ("silu",)),
    "selu": (LINE, ("selu",)),
    "mish": (LINE, ("mish",)),
    "softsign": (LINE, ("softsign",)),
    "tanh_shrink": (LINE, ("tanh_shrink",)),
    "glu": (MATRIX, ("glu",)),
    "prelu": (MATRIX, ("prelu", "prelu(shared=true)")),
    "layer_norm": (SEQUENCE, ("layer_norm(epsilon=0.1)",)),
    "rms_norm": (SEQUENCE, ("rms_norm",)),
    "instance_norm": (IMAGE, ("instance_norm", "instance_norm(epsilon=0.1, affine=true)")),
    "instance_norm1d": (SIGNAL, ("instance_norm(affine=true)",)),
    "instance_norm3d": (SOLID, ("instance_norm",)),
    "group_norm": (OPEN, ("group_norm(2)", "group_norm(1, affine=false)")),
    "local_response_norm": (IMAGE, ("local_response_norm(3, alpha=0.5)", "local_response_norm(2, alpha=0.5)")),
    "adaptive_avg_pool1d": (SIGNAL, ("adaptive_avg_pool1d(4)", "adaptive_avg_pool1d(1)", "adaptive_avg_pool1d(12)")),
    "adaptive_avg_pool2d": (IMAGE, ("adaptive_avg_pool2d(3, 5)", "adaptive_avg_pool2d(7, 1)")),
    "max_pool2d": (IMAGE, ("max_pool2d(3, stride=2, padding=1)",)),
    "avg_pool2d": (IMAGE, ("avg_pool2d(3, stride=2, padding=1)",)),
    "bilinear": (MATRIX, ("bilinear(5, right=x[:, :3] + 1)",)),
    "l2_loss": (LINE, ("l2_loss(target=x * 0)", "l2_loss(target=x * x)")),
    "l1_loss": (LINE, ("l1_loss(target=x * 0)", "l1_loss(target=x * x)")),
    "huber_loss": (LINE, ("huber_loss(target=x * 0)", "huber_loss(delta=0.5, target=x * 0)")),
    "binary_cross_entropy": (MATRIX, ("binary_cross_entropy(target=x * 0 + 0.3)",)),
}
#: What another file looks at, what draws, and what has the loop's or the op's own gradient.
ELSEWHERE = {"dense", "embedding", "flatten", "scaled_dot_product_attention", "softplus", "log_sigmoid"}
ELSEWHERE |= {key for key in NATIVES if key.startswith(("conv", "batch_norm", "dropout", "channel_dropout"))}
ELSEWHERE |= {"max_pool1d", "max_pool3d", "avg_pool1d", "avg_pool3d"}
PAIRS = [(kind, expression) for kind, expressions in SPECS.values() for expression in expressions]


def test_every_native_has_a_case() -> None:
    assert set(SPECS) | ELSEWHERE == set(NATIVES)
    assert not set(SPECS) & ELSEWHERE


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModuleType, ModuleType]:
    """With natives and without, one network for each pair."""
    networks = [
        f"network Net{place}:\n    input x: {kind}\n    output x -> {expression}\n\n\n"
        for place, (kind, expression) in enumerate(PAIRS)
    ]
    made: list[ModuleType] = []
    for natives in (True, False):
        folder = tmp_path_factory.mktemp("natives")
        (file,) = write(backend.compile(unit_of(folder, "".join(networks)), Options(natives=natives)).files, folder)
        made.append(imported(file))
    return made[0], made[1]


@pytest.mark.parametrize("place", range(len(PAIRS)), ids=[expression for _, expression in PAIRS])
def test_values_and_gradients(place: int, modules: tuple[ModuleType, ModuleType]) -> None:
    shape = KINDS[PAIRS[place][0]]
    torch.manual_seed(place)
    x = torch.tensor(POINTS).double() if shape == (len(POINTS),) else torch.randn(shape).double()
    first, second = (getattr(module, f"Net{place}")().double() for module in modules)
    assert {type(part).__module__ for part in first.children()} <= {"torch.nn.modules." + word for word in MODULES}
    for parameter in first.parameters():
        torch.nn.init.uniform_(parameter, -1, 1)
    second.load_state_dict(first.state_dict())
    results: list[list[torch.Tensor]] = []
    for model in (first, second):
        leaf = x.clone().requires_grad_()
        made = model(leaf)
        (made * made.detach().cos()).sum().backward()
        results.append([made, leaf.grad, *(parameter.grad for parameter in model.parameters())])
    for found, wanted in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-11)


MODULES = ("activation", "normalization", "instancenorm", "pooling", "linear")


@pytest.mark.parametrize("name", ["relu6", "hard_tanh", "hard_sigmoid", "hard_swish"])
def test_ends_of_clip_have_its_gradient(name: str, tmp_path: Path) -> None:
    """1 at both ends; `F.relu6` and its kin have 0 there."""
    text = f"network Net:\n    input x: float[18]\n    output x -> {name}\n"
    (file,) = write(backend.compile(unit_of(tmp_path, text), Options()).files, tmp_path)
    x = torch.tensor(POINTS).requires_grad_()
    imported(file).Net()(x).sum().backward()
    assert x.grad is not None
    ends = {"relu6": (0.0, 6.0), "hard_tanh": (-1.0, 1.0), "hard_sigmoid": (-3.0, 3.0), "hard_swish": (-3.0, 3.0)}[name]
    slopes = {"relu6": (1, 1), "hard_tanh": (1, 1), "hard_sigmoid": (1 / 6, 1 / 6), "hard_swish": (-0.5, 1.5)}[name]
    for end, slope in zip(ends, slopes, strict=True):
        assert x.grad[POINTS.index(end)].item() == pytest.approx(slope)


EMPTY = op_unit(OPS["abs"], [TensorType("float", (1,))], {}).networks[0].inference.modules[0]


def module_of(*shapes: tuple[int | str, ...], **hyperparameters: object) -> Module:
    """With inputs of these shapes alone; a name stands for a size that is not known."""
    types = tuple(
        TensorType("float", tuple(size if isinstance(size, int) else symbol(size) for size in shape))
        for shape in shapes
    )
    return replace(
        EMPTY,
        inputs=tuple(Port(f"x{place}", place) for place in range(len(shapes))),
        hyperparameters=tuple((word, Static(value)) for word, value in hyperparameters.items()),
        types=types,
    )


def test_conditions() -> None:
    """Just inside and just outside; torch refuses what is outside."""
    assert has_positions(module_of((2, 3, 2)))
    assert has_positions(module_of(("N", "C", 1, 2, "H")))
    assert not has_positions(module_of((2, 3, 1, 1)))
    assert not has_positions(module_of((2, 3, "H", "W")))
    assert shares_groups(module_of((1, 4), groups=2))
    assert shares_groups(module_of((1, 4, 2), groups=4))
    assert not shares_groups(module_of((1, 4), groups=4))
    assert not shares_groups(module_of((1, 4, "L"), groups=4))
    assert is_positive(module_of((3,), delta=1e-3))
    assert not is_positive(module_of((3,), delta=0.0))
    assert same_shapes(module_of((3, "N"), (3, "N")))
    assert not same_shapes(module_of((3, 2), (3, 1)))


def test_instance_norm_looks_at_rank_and_positions() -> None:
    native = NATIVES["instance_norm"]
    assert isinstance(native, Native)
    shapes = {(2, 3, 4, 4): True, (2, 3, 4): False, (2, 3, 4, 4, 4): False, (2, 3, 1, 1): False}
    assert {shape: native.condition(module_of(shape)) for shape in shapes} == shapes
