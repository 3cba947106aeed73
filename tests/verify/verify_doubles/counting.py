"""A runner that does what the name of the entry says."""

from __future__ import annotations

import os
import signal
import sys
import time

import numpy as np

print("noise at import, on standard output")


class Runner:
    def __init__(self) -> None:
        self.loads = 0
        self.runs = 0
        self.entry = ""
        self.hoard: list[np.ndarray] = []

    def load(self, folder, entry, weights, precision):
        self.loads += 1
        self.entry = entry
        if entry == "broken":
            raise ValueError("the file is broken")

    def run(self, inputs, training):
        self.runs += 1
        if self.entry == "chatty":
            print("some noise")
            os.write(1, b"more noise\n")
        elif self.entry == "killed":
            print("about to fall", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.entry == "exits":
            os._exit(7)
        elif self.entry == "hung":
            print("thinking", flush=True)
            time.sleep(600)
        elif self.entry == "greedy":
            while True:
                self.hoard.append(np.ones(1 << 20))
                time.sleep(0.01)
        elif self.entry == "grows":
            self.hoard.append(np.ones(8 << 20))
        elif self.entry == "wrong":
            raise RuntimeError("no kernel for this")
        state = {"loads": self.loads, "runs": self.runs, "pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}
        return {**{name: np.asarray(value) for name, value in state.items()}, **inputs}
