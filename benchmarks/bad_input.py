"""How long a hopeless spec takes to be refused, whole process: `python -m benchmarks.bad_input`.

Promised: two seconds. Prints wall seconds and exit code of `dlc check` and `dlc compile` for each case; exits with 1
where one takes longer, shows a traceback, or ends with another code than 0, 1 or 2.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEAD = "network A:\n    input x: float[N, 4]\n"
DEEP = "".join(f"block b{i}:\n    input x: float[N, D]\n    output x -> b{i - 1}\n" for i in range(1, 3001))
DOUBLE = "".join(f"block b{i}:\n    input x: float[N, D]\n    output x -> b{i - 1} -> b{i - 1}\n" for i in range(1, 41))
ROOT_BLOCK = "block b0:\n    input x: float[N, D]\n    output x -> dense(4)\n"
CASES: dict[str, str | bytes] = {
    "unknown block": HEAD + "    output x -> dens(4)\n",
    "wrong argument": HEAD + "    output x -> dense(unit=4)\n",
    "wrong shape": HEAD + "    output x @ x\n",
    "range(10**9)": HEAD + "    for i in range(10**9):\n        x = x + 1\n    output x\n",
    "9 ** 9 ** 9": HEAD + "    output x + 9 ** 9 ** 9\n",
    "list of 10^10": HEAD + "    y = [0] * 10**10\n    output x\n",
    "5,000 parentheses": HEAD + "    output " + "(" * 5000 + "x" + ")" * 5000 + "\n",
    "sum of 20,000 terms": HEAD + "    output " + " + ".join(["x"] * 20_000) + "\n",
    "blocks nested 3,000 deep": ROOT_BLOCK + DEEP + HEAD + "    output x -> b3000\n",
    "blocks that double 40 times": ROOT_BLOCK + DOUBLE + HEAD + "    output x -> b40\n",
    "recursive blocks": "block f:\n    input x: float[N, D]\n    output x -> f\n" + HEAD + "    output x -> f\n",
    "tabs": "network A:\n\tinput x: float[N]\n\toutput x\n",
    "not UTF-8": b"network A:\n    input x\xff: float[N]\n",
    "NUL bytes": b"network A:\x00\n",
    "empty file": "",
}


COMMANDS = ("check", "compile torch", "compile tensorflow", "compile onnx")


def arguments(command: str, path: Path) -> list[str]:
    word, *backend = command.split()
    options = ["--backend", *backend, "-o", str(path.parent / "out"), "--no-weights"] if backend else []
    return [sys.executable, "-m", "dlc", word, str(path), *options]


def main() -> int:
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, text in CASES.items():
            path = Path(folder) / "spec.dl"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            for command in COMMANDS:
                started = time.perf_counter()
                done = subprocess.run(arguments(command, path), capture_output=True, text=True, check=False)
                seconds = time.perf_counter() - started
                wrong = seconds > 2 or done.returncode not in (0, 1, 2) or "Traceback" in done.stdout + done.stderr
                bad += wrong
                note = "  <- wrong" if wrong else ""
                print(f"{name:30} {command:20} {seconds:5.2f} s  exit {done.returncode}{note}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
