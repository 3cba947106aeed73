"""Speed of generated layers against hand-written ones: paired runs in one process, ratio pair by pair.

    python -m benchmarks.layer_speed torch lstm
    python -m benchmarks.layer_speed tensorflow sum mean max softmax
    python -m benchmarks.layer_speed onnx lstm sum --pairs 30

`rnn`, `lstm`, `gru`: 32 sequences of 100 steps, 256 units, against nn.LSTM, keras.layers.LSTM and ONNX's LSTM node.
`sum`, `mean`, `max`: messages of 64 features along 100,000 edges among 10,000 nodes; `softmax`: weighted by a softmax
over the edges into each node. Both sides are compared before they are timed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
from dlc.backends.api import Options, Unit
from dlc.networks import elaborate
from dlc.parameters import parameters
from dlc.passes.resolve import load_project
from dlc.weights import initial, write

from benchmarks.code_speed import Run, measure
from benchmarks.generated import backend_of, import_file

RECURRENT = ("rnn", "lstm", "gru")
GRAPH = ("sum", "mean", "max", "softmax")
UNITS, NODES, EDGES, FEATURES = 256, 10_000, 100_000, 64
_SEND = {"softmax": "expand_dims(softmax(h[u, 0] + h[v, 1], over=v), -1) * h[u]"}

Arrays = list[np.ndarray[Any, np.dtype[Any]]]


def spec(case: str) -> str:
    if case in RECURRENT:
        return f"network Net:\n    input x: float[N, T, {UNITS}]\n    r = x -> {case}({UNITS})\n    output r.output\n"
    return (
        f"network Net:\n    input h: float[V, {FEATURES}]\n    input edges: int[2, E] in 0..V\n"
        f"    messages u -> v along edges into V:\n        send {_SEND.get(case, 'h[u]')}\n"
        f"    aggregate out = {'sum' if case == 'softmax' else case}\n    output out\n"
    )


def inputs(case: str) -> Arrays:
    rng = np.random.default_rng(0)
    if case in RECURRENT:
        return [rng.standard_normal((32, 100, UNITS)).astype(np.float32)]
    return [rng.standard_normal((NODES, FEATURES)).astype(np.float32), rng.integers(0, NODES, (2, EDGES))]


def generated(case: str, name: str, folder: Path) -> tuple[Unit, str]:
    """The spec compiled by one backend; the file that holds the network. Weights beside it."""
    path = folder / f"{case}.dl"
    path.write_text(spec(case), encoding="utf-8")
    unit = elaborate(load_project(path)).unit
    artifact = backend_of(name).compile(unit, Options())
    for word, content in artifact.files.items():
        (folder / word).write_bytes(content.encode() if isinstance(content, str) else content)
    write(folder / "Net.safetensors", parameters(unit.networks[0].inference), initial(0))
    return unit, next(word for word in artifact.files if word.endswith((".py", ".onnx")))


def weights(folder: Path) -> Mapping[str, np.ndarray[Any, np.dtype[Any]]]:
    from safetensors.numpy import load_file

    return load_file(folder / "Net.safetensors")


def torch_pair(case: str, folder: Path, threads: int) -> tuple[Run, Run]:
    import torch

    from benchmarks.handwritten import torch_layers

    torch.set_num_threads(threads)
    _, file = generated(case, "torch", folder)
    module = import_file(folder / file)
    first = module.Net().eval()
    module.load_weights(first, str(folder / "Net.safetensors"))
    second = torch_layers.made(case, weights(folder))
    values = [torch.from_numpy(value) for value in inputs(case)]

    def runner(function: Callable[..., Any]) -> Run:
        def run() -> object:
            with torch.inference_mode():
                return function(*values).numpy()

        return run

    return runner(first), runner(second)


def tensorflow_pair(case: str, folder: Path, threads: int) -> tuple[Run, Run]:
    import tensorflow as tf

    from benchmarks.handwritten import tensorflow_layers

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    _, file = generated(case, "tensorflow", folder)
    module = import_file(folder / file)
    model = module.Net()
    module.load_weights(model, str(folder / "Net.safetensors"))
    written = tensorflow_layers.made(case, weights(folder))
    values = [tf.constant(value) for value in inputs(case)]

    def runner(function: Callable[..., Any]) -> Run:
        traced = tf.function(function)
        return lambda: traced(*values).numpy()

    names = ("h", "edges")
    first = model if case in RECURRENT else lambda *xs: model(dict(zip(names, xs, strict=True)))
    return runner(first), runner(written)


def onnx_pair(case: str, folder: Path, threads: int) -> tuple[Run, Run]:
    import onnxruntime

    from benchmarks.handwritten import onnx_layers

    _, file = generated(case, "onnx", folder)
    (folder / "written.onnx").write_bytes(onnx_layers.made(case, weights(folder)).SerializeToString())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1

    def runner(path: Path) -> Run:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        feed = {i.name: v for i, v in zip(session.get_inputs(), inputs(case), strict=True)}
        return lambda: session.run(None, feed)[0]

    return runner(folder / file), runner(folder / "written.onnx")


PAIRS = {"torch": torch_pair, "tensorflow": tensorflow_pair, "onnx": onnx_pair}


def report(framework: str, case: str, pairs: int, threads: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        first, second = PAIRS[framework](case, Path(folder), threads)
        np.testing.assert_allclose(np.asarray(first()), np.asarray(second()), rtol=1e-4, atol=1e-4)
        ours, theirs = measure(first, second, pairs)
    low, median, high = statistics.quantiles((a / b for a, b in zip(ours, theirs, strict=True)), n=4)
    return (
        f"{framework} {case}: generated / hand-written {median:.3f} (quartiles {low:.3f} to {high:.3f}), "
        f"medians {1000 * statistics.median(ours):.1f} and {1000 * statistics.median(theirs):.1f} ms, "
        f"{pairs} pairs, {threads} thread(s)"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("framework", choices=PAIRS)
    parser.add_argument("cases", nargs="+", choices=(*RECURRENT, *GRAPH))
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    for case in options.cases:
        print(report(options.framework, case, options.pairs, options.threads), flush=True)


if __name__ == "__main__":
    main()
