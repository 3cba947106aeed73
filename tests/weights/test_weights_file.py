"""The canonical weights file: atomic, streamed, readable by safetensors, checked against the network."""

from __future__ import annotations

import json
import os
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from dlc import weights
from dlc.diagnostics import DlcError
from dlc.ir import Distribution, Static
from dlc.parameters import NetworkParameter


def of(name: str, *values: object) -> Distribution:
    return Distribution(name, tuple(Static(value) for value in values))


PARAMETERS = (
    NetworkParameter("a.weight", (3, 4), "float", "param", of("xavier_uniform")),
    NetworkParameter("a.count", (), "int", "buffer", of("constant", 3)),
    NetworkParameter("b.variance", (5,), "float", "buffer", of("constant", 1.0)),
    NetworkParameter("b.half", (5,), "bf16", "param", of("normal")),
    NetworkParameter("b.bias", (400,), "float", "param", of("constant", 0)),
    NetworkParameter("b.scale", (400,), "float", "param", of("constant", 1)),
    NetworkParameter("c.table", (2, 2), "float", "buffer", of("expression", ((1, 2), (3, 4)))),
    NetworkParameter("c.flags", (3,), "bool", "buffer", of("ones")),
    NetworkParameter("c.empty", (0, 4), "float", "param", of("normal")),
    NetworkParameter("c.double", (3,), "f64", "param", of("normal")),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "net.safetensors"
    weights.write(file, PARAMETERS, weights.initial(7))
    return file


def test_values_names_and_types(path: Path) -> None:
    arrays = weights.read(path, PARAMETERS)
    assert set(arrays) == {p.path for p in PARAMETERS}
    assert {name: a.shape for name, a in arrays.items()} == {p.path: p.shape for p in PARAMETERS}
    assert arrays["a.weight"].dtype == np.float32
    assert arrays["a.count"] == 3
    assert arrays["a.count"].dtype == np.int64
    assert arrays["c.double"].dtype == np.float64
    np.testing.assert_array_equal(arrays["c.table"], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(arrays["c.flags"], [True] * 3)
    assert not arrays["a.weight"].flags.writeable


def test_safetensors_reads_the_same(path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    arrays = weights.read(path)
    for name, tensor in load_file(path).items():
        plain = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
        np.testing.assert_array_equal(plain.numpy(), arrays[name])


def test_bf16_is_rounded_to_nearest_even(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    parameter = NetworkParameter("w", (5000,), "bf16", "param", of("normal"))
    weights.write(tmp_path / "w", [parameter], weights.initial(0))
    from dlc.distributions import draw

    expected = torch.tensor(draw(parameter.initial, (5000,), "w", 0).astype(np.float32)).bfloat16().float()
    np.testing.assert_array_equal(weights.read(tmp_path / "w")["w"], expected.numpy())


def test_what_safetensors_writes_is_read(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    arrays = {"b": np.arange(6, dtype=np.int32).reshape(2, 3), "a": np.ones((2,), np.float16)}
    save_file(arrays, tmp_path / "w")
    for name, value in weights.read(tmp_path / "w").items():
        np.testing.assert_array_equal(value, arrays[name])


def test_seed_and_order_of_parameters(path: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    weights.write(again, PARAMETERS[::-1], weights.initial(7))
    weights.write(other, PARAMETERS, weights.initial(8))
    assert again.read_bytes() == path.read_bytes() != other.read_bytes()


def test_tensors_are_aligned_and_offsets_known_before(path: Path) -> None:
    header, layout = weights.header_of(PARAMETERS)
    assert path.read_bytes().startswith(header)
    assert layout == weights.read_header(path)
    for parameter in PARAMETERS:
        assert layout[parameter.path].start % weights.FORMAT[parameter.dtype][1] == 0


def test_one_chunk_is_in_memory(tmp_path: Path) -> None:
    parameters = [NetworkParameter(f"w{i}", (4096, 1024), "float", "param", of("uniform", -1, 1)) for i in range(3)]
    tracemalloc.start()
    weights.write(tmp_path / "w", parameters, weights.initial(0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "w").stat().st_size > 48 << 20
    assert peak < 8 << 20  # some copies of one chunk; the float64 values of one tensor alone are 32 MiB


def test_a_failure_leaves_the_old_file_and_nothing_else(path: Path) -> None:
    before = path.read_bytes()

    def source(parameter: NetworkParameter, table: weights.Table):
        yield np.zeros(1)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        weights.write(path, PARAMETERS, source)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    target = tmp_path / "w"
    parameter = [NetworkParameter("w", (300_000,), "float", "param", of("uniform"))]
    weights.write(target, parameter, weights.initial(0))
    stop = threading.Event()
    seen: list[BaseException] = []

    def look() -> None:
        while not stop.is_set():
            try:
                weights.read(target, parameter)
            except BaseException as problem:
                seen.append(problem)

    reader = threading.Thread(target=look)
    reader.start()
    for seed in range(10):
        weights.write(target, parameter, weights.initial(seed))
    stop.set()
    reader.join()
    assert seen == []


def test_mode_follows_umask(path: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def codes(caught: pytest.ExceptionInfo[DlcError]) -> list[tuple[str, str]]:
    return [(d.code, d.message) for d in caught.value.diagnostics]


def test_missing_unexpected_and_misshapen_are_told_together(path: Path) -> None:
    wanted = [
        NetworkParameter("a.wight", (3, 4), "float", "param", of("normal")),
        NetworkParameter("b.half", (6,), "bf16", "param", of("normal")),
        NetworkParameter("c.table", (2, 2), "int", "buffer", of("ones")),
        *(p for p in PARAMETERS if p.path not in ("a.weight", "b.half", "c.table")),
    ]
    with pytest.raises(DlcError) as caught:
        weights.read(path, wanted)
    assert codes(caught) == [
        ("E0803", "the weights file net.safetensors lacks `a.wight`"),
        ("E0803", "the weights file net.safetensors holds `b.half` in another shape"),
        ("E0803", "the weights file net.safetensors holds `c.table` as F32"),
        ("E0803", "the weights file net.safetensors holds `a.weight`, which the network lacks"),
    ]
    assert caught.value.diagnostics[0].hint == "did you mean `a.weight`?"
    assert caught.value.diagnostics[1].found == "BF16[5]"
    assert caught.value.diagnostics[1].expected == "BF16[6]"


def _with_header(data: bytes, **changes: object) -> bytes:
    length = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + length])
    table["a.weight"].update(changes)
    text = json.dumps(table).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:5],
        lambda data: data[:40],
        lambda data: data[:-4],
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: data[:8] + b"!" + data[9:],
        lambda data: data[:8] + b"[]".ljust(int.from_bytes(data[:8], "little")) + data[8:],
        lambda data: _with_header(data, dtype="F4"),
        lambda data: _with_header(data, shape=[3, 5]),
        lambda data: _with_header(data, shape="wobble"),
        lambda data: _with_header(data, data_offsets=[-8, 40]),
        lambda data: _with_header(data, data_offsets=[1]),
    ],
)
def test_a_damaged_file_is_a_diagnostic(path: Path, damage) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DlcError) as caught:
        weights.read(path, PARAMETERS)
    assert {code for code, _ in codes(caught)} == {"E0802"}


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DlcError, match="E0802"):
        weights.read(tmp_path / "none")
    with pytest.raises(DlcError, match="E0801"):
        weights.write(tmp_path / "none" / "w", PARAMETERS, weights.initial(0))


def test_a_file_larger_than_the_disk_is_not_begun(tmp_path: Path) -> None:
    wide = NetworkParameter("a.weight", (10**12, 10**3), "float", "param", of("normal"))
    with pytest.raises(DlcError, match="E0801") as caught:
        weights.write(tmp_path / "w", (wide,), weights.initial(0))
    (problem,) = caught.value.diagnostics
    assert problem.found == "4,000,000,000,000,136 bytes"
    assert list(tmp_path.iterdir()) == []


def test_randomised_weights_hide_nothing(tmp_path: Path) -> None:
    weights.write(tmp_path / "w", PARAMETERS, weights.randomised(0))
    arrays = weights.read(tmp_path / "w", PARAMETERS)
    assert abs(arrays["b.bias"].std() - 0.26) < 0.03
    assert abs(arrays["b.scale"].mean() - 1) < 0.05
    assert arrays["b.scale"].min() > 0.35
    assert 0.5 <= arrays["b.variance"].min() < arrays["b.variance"].max() <= 1.5
    ratio = arrays["c.table"] / [[1, 2], [3, 4]]
    assert ((ratio >= 0.9) & (ratio <= 1.1) & (ratio != 1)).all()
    assert arrays["a.count"] == 3  # integers and flags are meaning, not numbers
    np.testing.assert_array_equal(arrays["c.flags"], [True] * 3)
