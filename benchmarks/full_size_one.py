"""One network of `benchmarks.full_size`: `python -m benchmarks.full_size_one FILE NETWORK RESULT.json`."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.full_size import verify_one

if __name__ == "__main__":
    verify_one(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
