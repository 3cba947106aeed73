"""Speed of generated code against hand-written code: paired runs in one process, A B A B ..., ratio pair by pair.

    python -m benchmarks.code_speed torch resnet50
    python -m benchmarks.code_speed tensorflow transformer --pairs 30
    python -m benchmarks.code_speed onnx resnet50

torch runs eagerly, TensorFlow in `tf.function`, ONNX Runtime runs our model against the hand-written torch model from
`torch.onnx.export(dynamo=True)`. Prints the median ratio generated / hand-written, its quartiles, and both medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np

from benchmarks.generated import compile_example, import_file

Run = Callable[[], object]
MODELS = {"resnet50": ("resnet", "ResNet50"), "transformer": ("transformer", "Transformer")}


def inputs(model: str) -> list[np.ndarray]:
    """ResNet-50: two images; Transformer: four pairs of 64 and 48 tokens, some padded."""
    rng = np.random.default_rng(0)
    if model == "resnet50":
        return [rng.standard_normal((2, 3, 224, 224)).astype(np.float32)]
    source = rng.integers(1, 37000, (4, 64))
    source[1, 50:] = 0
    return [source, rng.integers(1, 37000, (4, 48))]


def torch_pair(model: str, folder: Path, threads: int) -> tuple[Run, Run]:
    import torch

    from benchmarks.handwritten import torch_models

    torch.set_num_threads(threads)
    stem, network = MODELS[model]
    compile_example(stem, network, "torch", folder)
    generated = getattr(import_file(folder / f"{stem}_torch.py"), network)().eval()
    written = getattr(torch_models, network)().eval()
    values = [torch.from_numpy(v) for v in inputs(model)]

    def runner(module: torch.nn.Module) -> Run:
        def run() -> object:
            with torch.inference_mode():
                return module(*values)

        return run

    return runner(generated), runner(written)


def tensorflow_pair(model: str, folder: Path, threads: int) -> tuple[Run, Run]:
    import tensorflow as tf

    from benchmarks.handwritten import tensorflow_models

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    stem, network = MODELS[model]
    compile_example(stem, network, "tensorflow", folder)
    generated = getattr(import_file(folder / f"{stem}_tensorflow.py"), network)()
    written = getattr(tensorflow_models, network)()
    values = [tf.constant(v) for v in inputs(model)]

    def runner(module: object) -> Run:
        function = tf.function(lambda *xs: module(list(xs) if len(xs) > 1 else xs[0], training=False))
        return lambda: function(*values).numpy()

    return runner(generated), runner(written)


def onnx_pair(model: str, folder: Path, threads: int) -> tuple[Run, Run]:
    import onnxruntime
    import torch
    from dlc.networks import Choice, elaborate
    from dlc.parameters import parameters
    from dlc.passes.resolve import load_project
    from dlc.weights import initial, write

    from benchmarks.generated import EXAMPLES
    from benchmarks.handwritten import torch_models

    stem, network = MODELS[model]
    compile_example(stem, network, "onnx", folder)
    unit = elaborate(load_project(EXAMPLES / f"{stem}.dl"), Choice(network, {}, {})).unit
    write(folder / f"{network}.safetensors", parameters(unit.networks[0].inference), initial(0))
    written = getattr(torch_models, network)().eval()
    values = inputs(model)
    batch = torch.export.Dim("n", min=1)
    shapes = [{0: batch}] if model == "resnet50" else [{0: batch, 1: torch.export.Dim(s)} for s in ("s", "t")]
    exported = torch.onnx.export(
        written, tuple(torch.from_numpy(v) for v in values), dynamo=True, dynamic_shapes=tuple(shapes), verbose=False
    )
    assert exported is not None
    exported.save(folder / "written.onnx", external_data=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1

    def runner(path: Path) -> Run:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        feed = {i.name: v for i, v in zip(session.get_inputs(), values, strict=True)}
        return lambda: session.run(None, feed)

    return runner(folder / f"{network}.onnx"), runner(folder / "written.onnx")


PAIRS = {"torch": torch_pair, "tensorflow": tensorflow_pair, "onnx": onnx_pair}


def measure(generated: Run, written: Run, pairs: int) -> tuple[list[float], list[float]]:
    """Seconds of each run. Which of a pair goes first alternates."""
    for run in (generated, written, generated, written):
        run()
    first: list[float] = []
    second: list[float] = []
    for i in range(pairs):
        order = [(generated, first), (written, second)]
        for run, times in order if i % 2 == 0 else order[::-1]:
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    return first, second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("framework", choices=PAIRS)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pair = PAIRS[arguments.framework](arguments.model, Path(folder), arguments.threads)
        generated, written = measure(*pair, arguments.pairs)
    ratios = sorted(a / b for a, b in zip(generated, written, strict=True))
    low, median, high = statistics.quantiles(ratios, n=4)
    print(
        f"{arguments.framework} {arguments.model}: generated / hand-written "
        f"{median:.3f} (quartiles {low:.3f} to {high:.3f}), "
        f"medians {1000 * statistics.median(generated):.1f} and {1000 * statistics.median(written):.1f} ms, "
        f"{arguments.pairs} pairs, {arguments.threads} thread(s)"
    )


if __name__ == "__main__":
    main()
