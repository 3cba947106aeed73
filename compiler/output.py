"""Writes what a compile made: each file whole or not at all, and never over what another spec made.

A hidden record in the output folder, `.dlc.json`, says which spec each file came from (as a path relative to the
folder, so that a tree can move). Two specs that would write one file are an error that names both; a file that dlc has
made from a spec that is gone since is written over, as is what no record knows.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlc.diagnostics import DlcError, error

RECORD = ".dlc.json"


def write_files(folder: Path, files: Mapping[str, str | bytes], spec: Path | None = None) -> list[Path]:
    """Writes all files, or none if one of them can't be written; gives their paths.

    Raises DlcError (E0801) where the folder can't be written, (E0807) where another spec made one of the files.
    """
    prepare(folder, files, spec)
    waiting: list[tuple[Path, Path]] = []
    try:
        for name, content in files.items():
            waiting.append((_temporary(folder, name, content), folder / name))
        for temporary, target in waiting:
            os.replace(temporary, target)
    except OSError as problem:
        raise unwritable(folder, problem) from problem
    finally:
        for temporary, _ in waiting:
            with suppress(OSError):
                temporary.unlink()
    if spec is not None:
        record(folder, files, spec)
    return [target for _, target in waiting]


def prepare(folder: Path, names: Iterable[str], spec: Path | None = None) -> None:
    """Makes the folder and checks that the files may be written there. Raises DlcError as `write_files`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise unwritable(folder, problem) from problem
    recorded = _recorded(folder) if spec is not None else {}
    for name in names:
        target = folder / name
        if target.is_dir():
            raise error("E0801", f"cannot write {target}", found="a folder of that name", exit_code=2)
        other = (folder / recorded[name]).resolve() if name in recorded else None
        if spec is not None and other is not None and target.exists() and other.exists() and other != spec.resolve():
            raise error(
                "E0807",
                f"{target} was made from another spec",
                found=f"{_near(other)} made it",
                expected=f"a file of its own for {spec}",
                hint="choose another folder with -o, or delete the file",
                exit_code=2,
            )


def record(folder: Path, names: Iterable[str], spec: Path) -> None:
    """Notes that the files came from `spec`. A record that can't be written is no error: the files are there."""
    origin = os.path.relpath(spec.resolve(), folder.resolve())
    known = {name: origin for name, origin in _recorded(folder).items() if (folder / name).exists()}
    known |= dict.fromkeys(names, origin)
    text = json.dumps({"made from": dict(sorted(known.items()))}, indent=1) + "\n"
    with suppress(OSError):
        os.replace(_temporary(folder, RECORD, text), folder / RECORD)


def unwritable(path: Path, problem: OSError) -> DlcError:
    reason = problem.strerror or str(problem)
    found = "something that is no folder" if problem.errno in (errno.EEXIST, errno.ENOTDIR) else None
    return error("E0801", f"cannot write into {path}: {reason}", found=found, exit_code=2)


def _recorded(folder: Path) -> dict[str, str]:
    """File names and the specs that made them; empty where there is no record or it can't be read."""
    try:
        data: Any = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {str(name): str(origin) for name, origin in data["made from"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _temporary(folder: Path, name: str, content: str | bytes) -> Path:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, path = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(path, 0o666 & ~_umask())
    except BaseException:
        os.unlink(path)
        raise
    return Path(path)


def _near(path: Path) -> str:
    """A path as seen from here, if that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
