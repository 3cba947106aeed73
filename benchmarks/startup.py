"""How long commands take, whole process: `python benchmarks/startup.py [REPEATS]`.

Prints the median and the smallest of the wall-clock times, and the largest memory. Budgets: LeNet 0.35 s for torch and
TensorFlow (ONNX: plus the import of onnx); ResNet-152 and Transformer big 0.8 s and 200 MB.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
CASES = (
    ("LeNet", "lenet.dl", ()),
    ("ResNet-152", "resnet.dl", ("--network", "ResNet152")),
    ("Transformer big", "transformer.dl", ("--network", "TransformerBig")),
)
BACKENDS = ("torch", "tensorflow", "onnx")


def seconds(command: list[str]) -> float:
    """Wall time of one run. Bytecode is kept from run to run, as for whoever installed the package."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=kept)
    return time.perf_counter() - started


def main(repeats: int) -> None:
    script = str(Path(sys.executable).with_name("dlc"))
    with tempfile.TemporaryDirectory() as folder:
        for title, file, options in CASES:
            for backend in BACKENDS:
                command = [script, "compile", str(EXAMPLES / file), "--backend", backend, "-o", f"{folder}/{backend}"]
                command += [*options, "--no-weights"]
                seconds(command)  # bytecode and disk cache
                times = [seconds(command) for _ in range(repeats)]
                median, least = statistics.median(times), min(times)
                print(f"{title:16} {backend:11} median {median:.2f} s, smallest {least:.2f} s")
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"largest memory of any of these: {memory} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
