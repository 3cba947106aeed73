"""Examples at a small size, by network."""

from __future__ import annotations

from pathlib import Path

import dlc
from dlc.api import Network

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

#: The example and its hyperparameters.
SMALL: dict[str, tuple[str, dict[str, object]]] = {
    "LeNet5": ("lenet", {}),
    "ResNet": ("resnet", {"unit": "bottleneck", "depths": [1, 1], "classes": 3}),
    "CharLSTM": ("char_lstm", {"vocab": 20, "hidden": 12}),
    "Seq2Seq": ("seq2seq", {"source_vocab": 20, "target_vocab": 16, "hidden": 8}),
    "GCN": ("graph", {"hidden": 8}),
    "GAT": ("gat", {"hidden": 4, "heads": 3}),
    "Transformer": ("transformer", {"vocab": 20, "width": 16, "heads": 2, "inner": 24, "layers": 2}),
    "Generator": ("dcgan", {"latent": 10}),
    "Discriminator": ("dcgan", {}),
    "DenseNet": ("densenet", {"depths": [2, 2], "growth": 4, "classes": 3}),
    "UNet": ("unet", {"width": 4, "levels": 2}),
}


def small(name: str) -> Network:
    stem, settings = SMALL[name]
    return dlc.load(EXAMPLES / f"{stem}.dl")[name].with_settings(**settings)
