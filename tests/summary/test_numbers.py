"""Parameters, multiply-adds and activations against numbers that are known from elsewhere, or counted by hand."""

from __future__ import annotations

import dlc
import pytest
from dlc.ops import FAMILIES
from dlc.summary import Summary, flat
from dlc.summary.costs import MULTIPLY_ADDS, VIEWS


def summary(path: str, network: str, **sizes: int) -> Summary:
    return dlc.load(f"examples/{path}")[network].summary(**sizes)


@pytest.mark.parametrize(
    ("path", "network", "parameters", "giga"),
    [  # parameters and multiply-adds ("GFLOPS") of torchvision's model pages; the paper's VGG16 has 15.5
        ("resnet.dl", "ResNet18", 11_689_512, 1.81),
        ("resnet.dl", "ResNet50", 25_557_032, 4.09),
        ("vgg.yaml", "VGG16", 138_357_544, 15.47),
        ("densenet.dl", "DenseNet121", 7_978_856, 2.83),
    ],
)
def test_known_networks(path: str, network: str, parameters: int, giga: float) -> None:
    found = summary(path, network)
    assert found.parameters == parameters
    assert isinstance(found.multiply_adds, int)
    assert round(found.multiply_adds / 1e9, 2) == giga


def test_lenet_by_hand() -> None:
    found = summary("lenet.dl", "LeNet5")
    convolutions = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 6 * 25
    assert found.multiply_adds == convolutions + 400 * 120 + 120 * 84 + 84 * 10
    maps = 2 * 6 * 28 * 28 + 6 * 14 * 14 + 2 * 16 * 10 * 10 + 16 * 5 * 5  # with tanh, then pooled; flatten is a view
    assert found.activations == 4 * (maps + 2 * 120 + 2 * 84 + 10)
    assert summary("lenet.dl", "LeNet5", N=8).activations == 8 * found.activations
    assert (found.parameters, found.buffers, found.bytes) == (61706, 0, 4 * 61706)


def test_resnet_activations_are_those_of_torchinfo() -> None:
    """torchinfo says 177.83 MB for the way there and back: twice the results of convolutions, norms and the head."""
    rows = [
        row for row in flat(summary("resnet.dl", "ResNet50").tree) if row.block in ("conv2d", "batch_norm", "dense")
    ]
    total = sum(row.activations for row in rows if isinstance(row.activations, int))
    assert round(2 * total / 1e6, 2) == 177.83


def test_transformer_in_symbols() -> None:
    found = summary("transformer.dl", "Transformer")
    assert found.parameters == 63_082_496  # the paper's base model has 65 million with a table of its own size
    d, layers = 512, 6
    for source, target in ((1, 1), (10, 7)):
        projections = 4 * d * d + 2 * d * 2048
        encoder = source * projections + 2 * source * source * d
        crossed = 2 * source * d * d + 2 * target * d * d + 2 * source * target * d
        decoder = target * projections + 2 * target * target * d + crossed
        counted = layers * (encoder + decoder) + target * d * 37000
        assert summary("transformer.dl", "Transformer", S=source, T=target).multiply_adds == counted
    assert str(found.multiply_adds) == "22020096*S + 6144*S*T + 6144*S**2 + 40964096*T + 6144*T**2"


def test_rows_add_up() -> None:
    for path, network in (("seq2seq.dl", "Seq2Seq"), ("ntm.dl", "CopyNTM"), ("unet.dl", "UNet")):
        found = summary(path, network, **({"S": 5, "T": 7} if path == "seq2seq.dl" else {}))
        assert sum(row.parameters for row in found.tree) == found.parameters
        for row in flat(found.tree):
            inside = [child.multiply_adds for child in row.children]
            numbers = [number for number in (row.multiply_adds, *inside) if isinstance(number, int)]
            assert sum(numbers[1:]) <= numbers[0] if len(numbers) == len(inside) + 1 else path == "ntm.dl"


def test_a_scan_costs_its_steps() -> None:
    text = "network A:\n    input x: float[N, 9, 3]\n    output y = x -> scan(rnn_cell(4), axis=1)\n"
    found = loaded(text)["A"].summary()
    assert found.multiply_adds == 9 * (3 * 4 + 4 * 4)
    assert [row.multiply_adds for row in flat(found.tree)] == [9 * 28, 9 * 12, 9 * 16]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("output y = x @ transpose(x)", 2 * 2 * 6),
        ('output y = einsum("n d -> n", x)', 0),
        ('output y = einsum("n d, m d, m e -> n e", x, x, x)', 2 * 2 * 6 + 2 * 2 * 6),
        ("output y = reshape(x, [1, 3, 2, 2]) -> conv2d(4, kernel=2, bias=false)", 4 * 3 * 4),
        ("output y = reshape(x, [1, 3, 2, 2]) -> conv2d(6, kernel=1, groups=3, bias=false)", 6 * 4),
        ("output y = reshape(x, [1, 3, 2, 2]) -> conv_transpose2d(4, kernel=2, stride=2, bias=false)", 3 * 4 * 4 * 4),
        ("output y = exp(x) + 2", 0),
    ],
)
def test_ops_by_hand(body: str, count: int) -> None:
    assert loaded(f"network A:\n    input x: float[2, 6]\n    {body}\n")["A"].summary().multiply_adds == count


def test_every_contraction_has_a_formula() -> None:
    declared = {op.name for family in ("contraction", "convolution") for op in FAMILIES[family]}
    assert declared <= set(MULTIPLY_ADDS)
    known = {op.name for ops in FAMILIES.values() for op in ops} | {"read", "bind"}
    assert set(MULTIPLY_ADDS) <= known
    assert known >= VIEWS


def test_layers_that_only_others_call() -> None:
    text = (
        "block twice(inner: layer):\n    input x: float[N, D]\n    output inner(inner(x))\n\n"
        "network A:\n    input x: float[N, 4]\n    w = dense(4)\n    output y = twice(w)(x)\n"
    )
    found = loaded(text)["A"].summary()
    assert {row.path: (row.calls, row.parameters) for row in flat(found.tree)} == {"w": (0, 20), "twice": (1, 0)}
    assert found.multiply_adds == 2 * 16
    assert "* counted once w: called by what it is given to" in str(found)


def test_a_network_has_parameters_of_its_own() -> None:
    text = (
        "network A:\n    input x: float[N, 4]\n    param scale: float[4] ~ uniform(0, 1)\n"
        "    output y = (x * scale) -> dense(2)\n"
    )
    found = loaded(text)["A"].summary()
    assert (found.parameters, sum(row.parameters for row in found.tree)) == (14, 10)
    assert "\nscale     param     [4]              4              -\n" in str(found)
    assert found.to_json()["own_parameters"] == {"scale": "float[4]"}
    assert ">scale<" in found._repr_html_()


def test_a_batch_leads_every_value() -> None:
    assert summary("lenet.dl", "LeNet5").sizes == {"N": 1}
    assert summary("gat.dl", "GAT").sizes == {}
    with pytest.raises(dlc.DlcError, match="no dynamic dimension `K`"):
        summary("lenet.dl", "LeNet5", K=3)


def loaded(text: str) -> dlc.SpecFile:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.dl"
        path.write_text(text, encoding="utf-8")
        return dlc.load(path)
