"""Every example at full size, on all backends, natives on and off: `make verify-full`.

`python -m benchmarks.full_size [NETWORK ...]` verifies each network of `NETWORKS` (or those that are named) in a
process of its own, in both modes, at two sizes of every dynamic dimension, in float32; keeps each result as JSON in
build/full_size/; and writes the table benchmarks/FULL_SIZE.md from all results that lie there. It takes hours and can
be stopped at any time: `--missing` runs only what has no result yet. Ends with 1 unless everything agrees.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "full_size"
TABLE = ROOT / "benchmarks" / "FULL_SIZE.md"
BACKENDS = ("torch", "tensorflow", "onnx")
#: Example file and network, as they stand: no setting, no size is changed. Quick ones first.
NETWORKS = (
    ("lenet.dl", "LeNet5"),
    ("graph.dl", "GCN"),
    ("gat.dl", "GAT"),
    ("dcgan.dl", "Generator"),
    ("dcgan.dl", "Discriminator"),
    ("char_lstm.dl", "CharLSTM"),
    ("ntm.dl", "CopyNTM"),
    ("seq2seq.dl", "Seq2Seq"),
    ("resnet.dl", "ResNet18"),
    ("resnet.dl", "ResNet34"),
    ("resnet.dl", "ResNet50"),
    ("resnet.dl", "ResNet152"),
    ("densenet.dl", "DenseNet121"),
    ("densenet.dl", "DenseNet169"),
    ("transformer.dl", "Transformer"),
    ("transformer.dl", "TransformerBig"),
    ("vgg.yaml", "VGG11"),
    ("vgg.yaml", "VGG16"),
    ("unet.dl", "UNet"),
)
_SECONDS = 1800.0  # for one run of one backend
_HEAD = """# The examples at full size

`make verify-full`: every example as it stands, on PyTorch, TensorFlow and ONNX Runtime against the float64 oracle, in
both modes, at two sizes of every dynamic dimension, float32, with the frameworks' own layers and without them ("off").
A cell says how many comparisons agree (modes x sizes), and the largest error of any output as a part of its tolerance
(at most 1; [how it is measured](../docs/verify.md)). `e` is the largest noise of any output: above 1e-3 nothing would
be proved. Results before commit 42ae4b5 have no run at the edge, but one more at plain sizes.

| network | sizes | e | torch | torch, off | tensorflow | tensorflow, off | onnx | onnx, off | minutes | commit |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def main(arguments: list[str]) -> int:
    RESULTS.mkdir(parents=True, exist_ok=True)
    named = [name for name in arguments if not name.startswith("--")]
    for file, network in NETWORKS:
        if "--table" in arguments or (named and network not in named):
            continue
        if "--missing" not in arguments or not _result(network).exists():
            _run(file, network)
    TABLE.write_text(_HEAD + "".join(_row(network) for _, network in NETWORKS), encoding="utf-8")
    return 0 if all(_agreed(network) for _, network in NETWORKS) else 1


def _run(file: str, network: str) -> None:
    """Verifies one network in a new process, so that one that dies takes no other with it."""
    print(f"{datetime.now(UTC):%H:%M} {network}", flush=True)
    done = subprocess.run([sys.executable, "-m", "benchmarks.full_size_one", file, network, str(_result(network))])
    print("  " + (_row(network).strip() if done.returncode == 0 else f"ended with {done.returncode}"), flush=True)


def verify_one(file: str, network: str, target: Path) -> None:
    """Writes the report of one network, both ways of natives, as JSON."""
    from dlc.networks import Choice, elaborate
    from dlc.passes.resolve import load_project
    from dlc.verify.run import Settings, verify
    from dlc.verify.workers import Limits

    started = time.monotonic()
    unit = elaborate(load_project(ROOT / "examples" / file), Choice(network, {}, {})).unit
    settings = Settings(natives=(True, False), limits=Limits(seconds=_SECONDS))
    report = verify(unit, BACKENDS, settings).to_json()
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    facts = {"minutes": (time.monotonic() - started) / 60, "commit": commit.stdout.strip()}
    target.write_text(json.dumps(report | facts, indent=1), encoding="utf-8")


def _result(network: str) -> Path:
    return RESULTS / f"{network}.json"


def _read(network: str) -> dict[str, Any] | None:
    path = _result(network)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _agreed(network: str) -> bool:
    found = _read(network)
    return found is not None and found["agreed"] and len(found["cases"]) >= 2 * len(BACKENDS)


def _row(network: str) -> str:
    found = _read(network)
    if found is None:
        return f"| {network} | not run yet |\n"
    cases = found["cases"]
    sizes = {", ".join(f"{name} {size}" for name, size in case["sizes"].items()) for case in cases if case["sizes"]}
    noise = max((float(out["noise"]) for case in cases for out in case["outputs"]), default=float("nan"))
    cells = [_cell(cases, backend, natives) for backend in BACKENDS for natives in (True, False)]
    facts = [network, "; ".join(sorted(sizes)), f"{noise:.1e}", *cells, f"{found['minutes']:.1f}", found["commit"]]
    return f"| {' | '.join(facts)} |\n"


def _cell(cases: list[dict[str, Any]], backend: str, natives: bool) -> str:
    """The comparisons of one backend: `4 agree, 0.12`, or what is wrong."""
    mine = [case for case in cases if (case["backend"], case["natives"]) == (backend, natives)]
    agree = [case for case in mine if case["status"] == "agrees"]
    outputs = [output for case in mine for output in case["outputs"] if float(output["tolerance"])]
    part = max((float(output["error"]) / float(output["tolerance"]) for output in outputs), default=float("nan"))
    wrong = sorted({case["status"] for case in mine} - {"agrees"})
    return " ".join([f"{len(agree)} agree,", f"{part:.2f}", *(f"**{status}**" for status in wrong)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
