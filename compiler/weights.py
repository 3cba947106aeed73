"""The canonical weights file: a safetensors file with one tensor per parameter and buffer, by canonical path.

Drawing streams: the header is known from shapes alone, then each tensor is drawn in chunks, rounded once to the type
that the file holds and written, so no more than one chunk (for `orthogonal`, one tensor) is in memory. The file is
written beside its place and renamed: a reader sees the old file or the new one, never half of one. Reading maps the
file into memory.

The family float is stored as F32, the family int as I64, whatever the precision of a run: one file serves all of them.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlc.diagnostics import Diagnostic, DlcError, did_you_mean, error
from dlc.distributions import chunks, draw
from dlc.ir import Distribution, Static
from dlc.parameters import NetworkParameter, join

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

#: dlc's element types, as safetensors calls them, with their width in bytes.
FORMAT = {
    "float": ("F32", 4),
    "f16": ("F16", 2),
    "bf16": ("BF16", 2),
    "f32": ("F32", 4),
    "f64": ("F64", 8),
    "int": ("I64", 8),
    "i32": ("I32", 4),
    "i64": ("I64", 8),
    "bool": ("BOOL", 1),
}
_NUMPY = {
    "F16": "float16", "F32": "float32", "F64": "float64", "I32": "int32", "I64": "int64", "BOOL": "bool",
    "I8": "int8", "U8": "uint8", "I16": "int16",
}  # fmt: skip
_MAX_HEADER = 100_000_000  # bytes; the limit that safetensors sets

#: All parameters of a network by path.
Table = Mapping[str, NetworkParameter]
#: Gives a parameter's values, flat, in float64 pieces; one that is computed is computed from others in the table.
Source = Callable[[NetworkParameter, Table], Iterator["Array"]]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a tensor lies in a file: element type, shape, first and last byte (exclusive) from the start of the
    file.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def initial(seed: int) -> Source:
    """Each parameter from its own initial distribution."""

    def source(parameter: NetworkParameter, table: Table) -> Iterator[Array]:
        if parameter.start is not None:
            return iter((_computed(parameter, table, source),))
        return chunks(parameter.initial, parameter.shape, parameter.path, seed)

    return source


def randomised(seed: int) -> Source:
    """Every weight and statistic random, for `verify`: a default start (zero biases, unit scales) would hide faults.

    A parameter drawn at random keeps its distribution. One that starts at a number v everywhere is drawn around it:
    v + 0.3 z for parameters, z normal and cut at 2, so that a scale of 1 stays positive. A buffer that starts at v > 0
    (a running variance) is drawn in 0.5 v to 1.5 v. Numbers that the spec computes (an "expression", or "computed" from
    the others as they are drawn here) are scaled by up to 10 %.
    """

    def source(parameter: NetworkParameter, table: Table) -> Iterator[Array]:
        value = _fixed(parameter.initial)
        if parameter.start is not None:
            values = _computed(parameter, table, source)
            scaled = parameter.dtype.startswith(("f", "bf"))
            yield values * draw(_of("uniform", 0.9, 1.1), values.shape, parameter.path, seed) if scaled else values
        elif not parameter.dtype.startswith(("f", "bf")):
            yield from chunks(parameter.initial, parameter.shape, parameter.path, seed)
        elif parameter.initial.name == "expression":
            factors = chunks(_of("uniform", 0.9, 1.1), parameter.shape, parameter.path, seed)
            values = next(chunks(parameter.initial, parameter.shape, parameter.path, seed))
            at = 0
            for factor in factors:
                yield factor * values[at : at + len(factor)]
                at += len(factor)
        elif value is None:
            yield from chunks(parameter.initial, parameter.shape, parameter.path, seed)
        elif parameter.kind == "buffer" and value > 0:
            yield from chunks(_of("uniform", 0.5 * value, 1.5 * value), parameter.shape, parameter.path, seed)
        else:
            yield from chunks(_of("truncated_normal", value, 0.3), parameter.shape, parameter.path, seed)

    return source


def write(path: str | Path, parameters: Sequence[NetworkParameter], source: Source) -> None:
    """Draws all parameters into the file `path`, atomically. Raises DlcError (E0801) where the folder is not
    writable or the disk too small.
    """
    target = Path(path)
    header, layout = header_of(parameters)
    table = {parameter.path: parameter for parameter in parameters}
    try:
        _check_room(target, max((entry.end for entry in layout.values()), default=0))
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent or Path("."))
    except OSError as problem:
        raise error("E0801", f"cannot write {target}: {problem.strerror}", exit_code=2) from problem
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(header)
            for parameter in sorted(parameters, key=lambda p: (layout[p.path].start, layout[p.path].end)):
                for piece in source(parameter, table):
                    file.write(_stored(piece, parameter.dtype).tobytes())
                if file.tell() != layout[parameter.path].end:
                    raise AssertionError(f"{parameter.path}: {file.tell()} bytes, not {layout[parameter.path].end}")
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException as problem:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(problem, OSError):
            raise error("E0801", f"cannot write {target}: {problem.strerror}", exit_code=2) from problem
        raise


def _check_room(target: Path, size: int) -> None:
    """Refuses what can't fit before anything is drawn: a mistyped width would fill the disk for minutes first."""
    free = shutil.disk_usage(target.parent).free
    if size > free:
        message = f"cannot write {target}: the disk has too little room"
        raise error("E0801", message, found=f"{size:,} bytes", expected=f"at most {free:,} bytes", exit_code=2)


def header_of(parameters: Sequence[NetworkParameter]) -> tuple[bytes, dict[str, Entry]]:
    """The file's first bytes (length and JSON, padded to 8) and where each tensor lies in the file.

    Offsets need no values: ONNX models point into the file before it is written.
    """
    table: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    spans: dict[str, tuple[int, int]] = {}
    # As the safetensors library orders them: wide types first, so that every tensor is aligned; then by path.
    for parameter in sorted(parameters, key=lambda p: (-FORMAT[p.dtype][1], p.path)):
        name, width = FORMAT[parameter.dtype]
        size = width * math.prod(parameter.shape)
        table[parameter.path] = {"dtype": name, "shape": list(parameter.shape), "data_offsets": [at, at + size]}
        spans[parameter.path] = (at, at + size)
        at += size
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    base = 8 + len(text)
    entries = {
        parameter.path: Entry(
            FORMAT[parameter.dtype][0],
            parameter.shape,
            base + spans[parameter.path][0],
            base + spans[parameter.path][1],
        )
        for parameter in parameters
    }
    return len(text).to_bytes(8, "little") + text, entries


def read_header(path: str | Path) -> dict[str, Entry]:
    """Where each tensor lies. Raises DlcError (E0802) where the file is missing or no safetensors file."""
    file = Path(path)
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if size < 8 or length > min(_MAX_HEADER, size - 8):
                raise _broken(file, "its header is cut off")
            table = json.loads(stream.read(length))
        return {
            name: _entry(file, name, row, 8 + length, size) for name, row in table.items() if name != "__metadata__"
        }
    except OSError as problem:
        raise error("E0802", f"cannot read the weights file {file}: {problem.strerror}", exit_code=2) from problem
    except (ValueError, AttributeError) as problem:
        raise _broken(file, "its header is no JSON object") from problem


def read(path: str | Path, parameters: Sequence[NetworkParameter] | None = None) -> dict[str, Array]:
    """All tensors by path, as read-only views of the mapped file; bf16 comes widened to float32.

    With `parameters`, names and shapes are checked against the network first (see `check`).
    """
    import numpy as np

    entries = read_header(path)
    if parameters is not None:
        check(path, entries, parameters)
    whole = np.memmap(path, dtype=np.uint8, mode="r")
    return {name: _view(whole[entry.start : entry.end], entry) for name, entry in entries.items()}


def check(path: str | Path, entries: Mapping[str, Entry], parameters: Sequence[NetworkParameter]) -> None:
    """Raises a DlcError (E0803) with one diagnostic per missing, unexpected or misshapen tensor."""
    wanted = {parameter.path: parameter for parameter in parameters}
    problems: list[Diagnostic] = []
    for name, parameter in wanted.items():
        if name not in entries:
            spare = [other for other in entries if other not in wanted]
            hint = did_you_mean(name, spare)
            problems.append(_problem(path, f"lacks `{name}`", "nothing", _shape(parameter), hint))
        elif entries[name].shape != parameter.shape:
            found = f"{entries[name].dtype}{list(entries[name].shape)}"
            problems.append(_problem(path, f"holds `{name}` in another shape", found, _shape(parameter)))
        elif _kind(entries[name].dtype) != _kind(FORMAT[parameter.dtype][0]):
            problems.append(
                _problem(path, f"holds `{name}` as {entries[name].dtype}", entries[name].dtype, _shape(parameter))
            )
    for name, entry in entries.items():
        if name not in wanted:
            problems.append(
                _problem(path, f"holds `{name}`, which the network lacks", f"{entry.dtype}{list(entry.shape)}")
            )
    if problems:
        raise DlcError(tuple(problems), exit_code=1)


def _problem(
    path: str | Path, message: str, found: str | None = None, expected: str | None = None, hint: str | None = None
) -> Diagnostic:
    return Diagnostic("E0803", f"the weights file {Path(path).name} {message}", None, found, expected, hint)


def _shape(parameter: NetworkParameter) -> str:
    return f"{FORMAT[parameter.dtype][0]}{list(parameter.shape)}"


def _kind(stored: str) -> str:
    return "float" if stored in ("F16", "BF16", "F32", "F64") else "bool" if stored == "BOOL" else "int"


def _broken(file: Path, why: str) -> DlcError:
    return error("E0802", f"{file} is no safetensors file: {why}", exit_code=2)


def _entry(file: Path, name: str, row: Any, base: int, size: int) -> Entry:
    try:
        start, end = (base + int(offset) for offset in row["data_offsets"])
        entry = Entry(str(row["dtype"]), tuple(int(axis) for axis in row["shape"]), start, end)
    except (KeyError, TypeError, ValueError) as problem:
        raise _broken(file, f"its entry `{name}` cannot be read") from problem
    widths = dict(FORMAT.values()) | {"I8": 1, "U8": 1, "I16": 2}
    if entry.dtype not in widths:
        raise _broken(file, f"`{name}` has the unknown type {entry.dtype}")
    if not base <= start <= end <= size or end - start != widths[entry.dtype] * math.prod(entry.shape):
        raise _broken(file, f"the bytes of `{name}` do not fit its shape {list(entry.shape)}")
    return entry


def _view(data: Array, entry: Entry) -> Array:
    import numpy as np

    if entry.dtype != "BF16":
        return data.view(np.dtype(_NUMPY[entry.dtype]).newbyteorder("<")).reshape(entry.shape)
    wide = data.view("<u2").astype(np.uint32) << np.uint32(16)
    return wide.view(np.float32).reshape(entry.shape)


def _stored(values: Array, dtype: str) -> Array:
    """float64 values as the file holds them: rounded once, to nearest even."""
    import numpy as np

    stored = FORMAT[dtype][0]
    if stored != "BF16":
        return values.astype(np.dtype(_NUMPY[stored]).newbyteorder("<"))
    bits = values.astype(np.float32).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (rounded >> np.uint32(16)).astype("<u2")


def _computed(parameter: NetworkParameter, table: Table, source: Source) -> Array:
    """The values, flat, of a parameter that starts at an expression over others of its block."""
    import numpy as np
    from dlc.computed import evaluate

    assert parameter.start is not None
    owner = parameter.path.rpartition(".")[0]
    inputs: dict[str, Array] = {}
    for port in parameter.start.inputs:
        other = table[join(owner, port.name)]
        inputs[port.name] = np.concatenate(list(source(other, table))).reshape(other.shape)
    return evaluate(parameter.start, inputs).reshape(-1)


def _fixed(distribution: Distribution) -> float | None:
    """The number that a distribution gives everywhere, None if it is random."""
    if distribution.name in ("zeros", "ones"):
        return float(distribution.name == "ones")
    if distribution.name != "constant":
        return None
    value = distribution.arguments[0].value
    return float(value) if isinstance(value, int | float) else None


def _of(name: str, *numbers: float) -> Distribution:
    return Distribution(name, tuple(Static(number) for number in numbers))


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
