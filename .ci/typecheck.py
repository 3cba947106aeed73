"""Runs pyright over the package as it is imported: `compiler/`, `spec/` and `backends/` copied to one folder `dlc/`.

pyright follows neither the editable install's finder nor `package-dir`. Places in its output are put back to the files
of the checkout. Arguments: files or folders of the checkout to check (default: all).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VIEW = ROOT / "build" / "typecheck"
FOLDERS = {"compiler": "dlc", "spec": "dlc/spec", "backends": "dlc/backends"}
CONFIG = """{{
  "include": ["dlc"],
  "typeCheckingMode": "strict", "pythonVersion": "3.11",
  "venvPath": "{root}", "venv": ".venv", "reportMissingTypeStubs": false, "reportMissingModuleSource": false,
  "reportUnknownMemberType": false, "reportUnknownVariableType": false, "reportUnknownArgumentType": false
}}
"""


def main(only: list[str]) -> int:
    shutil.rmtree(VIEW, ignore_errors=True)
    for folder, place in FOLDERS.items():
        shutil.copytree(ROOT / folder, VIEW / place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    (VIEW / "pyrightconfig.json").write_text(CONFIG.format(root=ROOT), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--project", str(VIEW)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    lines = [_back(line) for line in done.stdout.splitlines()]
    chosen = [line for line in lines if not only or any(f"{name.rstrip('/')}" in line for name in only)]
    print("\n".join(chosen))
    return done.returncode


def _back(line: str) -> str:
    for folder, place in sorted(FOLDERS.items(), key=lambda item: -len(item[1])):
        line = line.replace(f"{VIEW / place}/", f"{folder}/")
    return line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
