"""Sealed values open with their key and in their place alone; master keys are read or refused."""

import base64
import os
from pathlib import Path
from uuid import uuid4

import pytest

from services.registry.vault import (
    BrokenSealError,
    Erased,
    ErasureList,
    MasterKeyError,
    MasterKeys,
    blind_index,
    fingerprint,
    new_master_key_line,
    open_sealed,
    seal,
)

KEY, OTHER = bytes(32), bytes(31) + b"\1"


def test_a_seal_opens_with_its_key_in_its_place_and_is_another_each_time() -> None:
    one, two = seal(KEY, b"name", b"a"), seal(KEY, b"name", b"a")
    assert one != two
    assert open_sealed(KEY, one, b"a") == b"name"
    for key, sealed, place in (
        (OTHER, one, b"a"),
        (KEY, one, b"b"),
        (KEY, one[:-1] + b"\0", b"a"),
        (KEY, one[:5], b"a"),
    ):
        with pytest.raises(BrokenSealError):
            open_sealed(key, sealed, place)


def test_an_index_needs_its_key_and_a_fingerprint_its_kind_and_drive() -> None:
    assert blind_index(KEY, "1") == blind_index(KEY, "1")
    assert blind_index(KEY, "1") != blind_index(OTHER, "1")
    prints = {
        fingerprint(KEY, data, kind, drive)
        for data in (b"a", b"b")
        for kind in ("origin_roster", "new_hires")
        for drive in ("", "d")
    }
    assert len(prints) == 8


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_first_master_key_wraps_and_all_unwrap(tmp_path: Path) -> None:
    old_line = new_master_key_line("old")
    old = MasterKeys.read(write(tmp_path / "a", old_line))
    both = MasterKeys.read(write(tmp_path / "b", f"# keys\n{new_master_key_line('new')}{old_line}"))
    key_id, wrapped = old.wrap(KEY, b"x")
    assert both.unwrap(key_id, wrapped, b"x") == KEY
    assert both.wrap(KEY, b"x")[0] == "new"
    with pytest.raises(MasterKeyError):
        old.unwrap(*both.wrap(KEY, b"x"), b"x")
    other = MasterKeys.read(write(tmp_path / "c", new_master_key_line("old")))
    with pytest.raises(MasterKeyError):
        other.unwrap(key_id, wrapped, b"x")


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "1 short\n", f"1 {base64.b64encode(bytes(16)).decode()}\n", "1 §"]
)
def test_a_wrong_master_key_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MasterKeyError):
        MasterKeys.read(write(tmp_path / "key", text))


def test_a_master_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError):
        MasterKeys.read(write(tmp_path / "key", new_master_key_line("1"), 0o644))
    with pytest.raises(MasterKeyError):
        MasterKeys.read(tmp_path / "missing")


def test_an_erasure_list_survives_a_torn_line(tmp_path: Path) -> None:
    erasures = ErasureList(tmp_path / "new" / "erasures.jsonl")
    assert erasures.read() == []
    first, second = (Erased(uuid4(), person, (uuid4(), uuid4())) for person in (True, False))
    erasures.append([first])
    with erasures.path.open("ab") as file:
        file.write(os.urandom(3).hex().encode() + b'{"worker_id": "01')
    erasures.append([second])
    assert erasures.read() == [first, second]
