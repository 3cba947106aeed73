"""What it is worth to compute once what does not depend on the step: seq2seq, before and after.

    python -m benchmarks.hoisting torch
    python -m benchmarks.hoisting onnx --pairs 20

256 units, 16 sentences of 40 words, 30 words out; what moves are the attention's keys. Both sides are generated code;
`before` is compiled with the pass off.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from unittest.mock import patch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from dlc.networks import Choice, elaborate
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project
from dlc.weights import initial, write

from benchmarks.code_speed import Run, measure
from benchmarks.generated import EXAMPLES, compile_example, import_file

NETWORK = "Seq2Seq"
SOURCE = np.random.default_rng(0).integers(1, 8000, (16, 40))
TARGET = np.random.default_rng(1).integers(0, 8000, (16, 30))


def compiled(framework: str, folder: Path, once: bool) -> Path:
    """The generated file, its weights beside it."""
    folder.mkdir()
    if once:
        made = compile_example("seq2seq", NETWORK, framework, folder)
    else:
        with patch("dlc.passes.hoist.hoist", lambda programs, early: programs):
            made = compile_example("seq2seq", NETWORK, framework, folder)
    network = elaborate(load_project(EXAMPLES / "seq2seq.dl"), Choice(NETWORK, {}, {})).unit.networks[0]
    write(folder / f"{NETWORK}.safetensors", network_parameters(network.inference, network.training), initial(0))
    (name,) = made.files
    return folder / name


def torch_run(path: Path) -> Run:
    import torch

    torch.set_num_threads(1)
    module = import_file(path)
    model = module.Seq2Seq().eval()
    module.load_weights(model, str(path.parent / f"{NETWORK}.safetensors"))
    source, target = torch.from_numpy(SOURCE), torch.from_numpy(TARGET)

    def run() -> object:
        with torch.inference_mode():
            return model(source, target)[0].numpy()

    return run


def tensorflow_run(path: Path) -> Run:
    import tensorflow as tf

    module = import_file(path)
    model = module.Seq2Seq()
    module.load_weights(model, str(path.parent / f"{NETWORK}.safetensors"))
    traced = tf.function(lambda source, target: model({"source": source, "target": target})["logits"])
    source, target = tf.constant(SOURCE), tf.constant(TARGET)
    return lambda: traced(source, target).numpy()


def onnx_run(path: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(["logits"], {"source": SOURCE, "target": TARGET})[0]


RUNS = {"torch": torch_run, "tensorflow": tensorflow_run, "onnx": onnx_run}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("framework", choices=RUNS)
    parser.add_argument("--pairs", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [compiled(given.framework, Path(folder) / word, word == "after") for word in ("before", "after")]
        before, after = map(RUNS[given.framework], paths)
        np.testing.assert_allclose(before(), after(), rtol=1e-4, atol=1e-4)
        times = measure(before, after, given.pairs)
    ratios = [one / other for one, other in zip(*times, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"{given.framework}: before / after {middle:.3f} ({low:.3f} to {high:.3f}), {given.pairs} pairs")


if __name__ == "__main__":
    main()
