"""Files that cannot be read give a diagnostic that says where and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlc.diagnostics import Diagnostic, DlcError
from dlc.spec.loader import MAX_BYTES, load


def mistake(path: Path) -> Diagnostic:
    with pytest.raises(DlcError) as raised:
        load(str(path), name=path.name)
    (found,) = raised.value.diagnostics
    return found


def test_missing_with_a_name_close_to_it(tmp_path: Path) -> None:
    (tmp_path / "lenet.dl").write_text("x")
    found = mistake(tmp_path / "lent.dl")
    assert (found.code, found.hint) == ("E0120", "did you mean `lenet.dl`?")
    assert "does not exist" in found.message


def test_missing_folder(tmp_path: Path) -> None:
    assert "there is no folder" in mistake(tmp_path / "no" / "x.dl").message


def test_directory(tmp_path: Path) -> None:
    assert "is a directory" in mistake(tmp_path).message


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\n"])
def test_empty(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.dl").write_bytes(data)
    assert mistake(tmp_path / "a.dl").code == "E0121"


def test_not_utf8_says_which_byte_on_which_line(tmp_path: Path) -> None:
    (tmp_path / "a.dl").write_bytes(b"# one\n# caf\xe9\n")
    found = mistake(tmp_path / "a.dl")
    assert (found.code, found.found) == ("E0122", "byte 0xe9 at offset 11")
    assert str(found.span) == "a.dl:2:6"


def test_zero_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.dl").write_bytes(b"network A:\n \0")
    found = mistake(tmp_path / "a.dl")
    assert found.found == "a zero byte at offset 12"
    assert str(found.span) == "a.dl:2:2"


def test_utf16(tmp_path: Path) -> None:
    (tmp_path / "a.dl").write_bytes("network A:".encode("utf-16"))
    assert "UTF-16" in mistake(tmp_path / "a.dl").message


def test_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.dl").write_bytes(b"#" * MAX_BYTES)
    load(str(tmp_path / "a.dl"))
    (tmp_path / "a.dl").write_bytes(b"#" * (MAX_BYTES + 1))
    assert "too large" in mistake(tmp_path / "a.dl").message


def test_a_path_that_no_system_takes() -> None:
    with pytest.raises(DlcError):
        load("a\0b.dl")
