"""Entries are whole or not there, results come back as they were, and what was used longest ago goes first."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.cache import bound, store
from edgecompile.cache.codec import decode, encode
from edgecompile.cache.fingerprint import fingerprint, of_files
from edgecompile.cache.memo import Memo
from edgecompile.cache.store import Entry, Store
from edgecompile.core.recipe import Recipe, Step

KEY = "ab" + "0" * 62


@dataclass(frozen=True, kw_only=True)
class Point:
    """A result of two kinds of things."""

    name: str
    place: tuple[int, ...] = ()


class Colour(Enum):
    """A result that is one of a few."""

    RED = "red"


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def kept(tmp_path: Path, limit_bytes: int = 1 << 20) -> Store:
    return Store(folder=tmp_path / "cache", limit_bytes=limit_bytes)


def test_what_was_put_is_found_by_its_key_alone(tmp_path: Path) -> None:
    entry = Entry(plain={"a": [1, None, "ä"]}, blobs={"x": b"\0\1", "empty": b""})

    kept(tmp_path).put(KEY, entry)

    assert kept(tmp_path).get(KEY) == entry
    assert kept(tmp_path).get("cd" + KEY[2:]) is None


def test_an_entry_that_stands_under_the_name_of_another_is_damaged(tmp_path: Path) -> None:
    other = "cd" + KEY[2:]
    kept(tmp_path).put(KEY, Entry(plain={"a": 1}))
    kept(tmp_path).put(other, Entry(plain={"a": 2}))
    first, second = entries(tmp_path)
    second.write_bytes(first.read_bytes())
    reader = kept(tmp_path)

    assert reader.get(other) is None
    assert list(reader.said) == ["EC822"]
    assert reader.get(KEY) == Entry(plain={"a": 1})


def test_an_entry_with_any_byte_changed_or_missing_is_removed_and_told(tmp_path: Path) -> None:
    kept(tmp_path).put(KEY, Entry(plain={"a": 1}, blobs={"x": b"content"}))
    (path,) = entries(tmp_path)
    whole = path.read_bytes()
    damages = [whole[:cut] for cut in range(len(whole))]
    damages += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    damages += [whole + b"\0"]

    for damage in damages:
        path.write_bytes(damage)
        reader = kept(tmp_path)

        assert reader.get(KEY) is None
        assert list(reader.said) == ["EC822"]
        assert not path.exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_cache_that_cannot_be_written_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*paths: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(store.os, "replace", refuse)
    writer = kept(tmp_path)

    writer.put(KEY, Entry(plain=1))

    assert list(writer.said) == ["EC821"]
    assert entries(tmp_path) == []


def test_writers_of_one_entry_leave_it_whole(tmp_path: Path) -> None:
    entry = Entry(plain="same", blobs={"x": bytes(100_000)})
    writers = [threading.Thread(target=kept(tmp_path).put, args=(KEY, entry)) for _ in range(8)]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert kept(tmp_path).get(KEY) == entry
    assert len(entries(tmp_path)) == 1


def test_an_entry_larger_than_the_bound_is_not_kept(tmp_path: Path) -> None:
    kept(tmp_path, 1000).put(KEY, Entry(plain=1, blobs={"x": bytes(1000)}))

    assert entries(tmp_path) == []


RESULTS = [
    pytest.param(None, id="nothing"),
    pytest.param((1, 2.5, "x", True, [None, ()]), id="plain values"),
    pytest.param({"a": {"b": (1, 2)}, 3: []}, id="mappings, with keys that are no text"),
    pytest.param({"kind": "array", "value": 1}, id="a mapping that looks like ours"),
    pytest.param(Point(name="p", place=(1, 2)), id="a dataclass"),
    pytest.param((Colour.RED, b"\0\xff"), id="an enumeration and bytes"),
    pytest.param(float("inf"), id="no finite number"),
]


@pytest.mark.parametrize("value", RESULTS)
def test_a_result_comes_back_equal_and_of_the_same_kinds(value: Any, tmp_path: Path) -> None:
    kept(tmp_path).put(KEY, encode(value))
    entry = kept(tmp_path).get(KEY)
    assert entry is not None

    found = decode(entry, (Point, Colour))

    assert found == value
    assert repr(found) == repr(value)


def test_arrays_come_back_with_dtype_and_shape() -> None:
    arrays = (np.arange(6, dtype=np.int16).reshape(2, 3), np.zeros((0, 4), np.float32), np.float32(0.1))

    found = decode(encode(arrays), ())

    for before, after in zip(arrays[:2], found[:2], strict=True):
        assert (after.dtype, after.shape) == (before.dtype, before.shape)
        np.testing.assert_array_equal(after, before)
    assert found[2] == float(np.float32(0.1))


def test_what_could_not_come_back_is_refused_when_it_is_put() -> None:
    with pytest.raises(TypeError, match="object"):
        encode([object()])


DIFFERENT = [
    ("ab", "c"), ("a", "bc"), ("abc",), (b"abc",), (1,), (1.0,), (True,), ("1",), (None,), ((1, 2),), (((1,), 2),),
    ((1, (2,)),), ({"a": 1, "b": 2},), ({"a": 2, "b": 1},), (Point(name="a"),), (Point(name="b"),), (Colour.RED,),
    (np.zeros(2, np.float32),), (np.zeros(2, np.int32),), (np.zeros((1, 2), np.float32),),
    (np.zeros((2, 1), np.float32),),
    (np.zeros((0, 1)),), (np.zeros((1, 0)),), (),
]  # fmt: skip


def test_where_a_recipe_stands_has_no_part_in_its_fingerprint() -> None:
    steps = (Step(name="prune"),)

    assert fingerprint(Recipe(steps=steps, file="a.toml")) == fingerprint(Recipe(steps=steps, file="b.toml"))
    assert fingerprint(Recipe(steps=steps)) != fingerprint(Recipe(steps=steps, seed=1))


def test_different_values_have_different_fingerprints() -> None:
    assert len({fingerprint(*parts) for parts in DIFFERENT}) == len(DIFFERENT)


def test_equal_values_have_equal_fingerprints() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint([1, 2]) == fingerprint((1, 2))
    assert fingerprint(np.arange(6).reshape(2, 3).T) == fingerprint(np.ascontiguousarray(np.arange(6).reshape(2, 3).T))
    with pytest.raises(TypeError):
        fingerprint(object())


def test_the_fingerprint_of_a_folder_counts_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = of_files(tmp_path)

    (tmp_path / "a").rename(tmp_path / "b")
    renamed = of_files(tmp_path)
    (tmp_path / "b").write_text("2")

    assert len({before, renamed, of_files(tmp_path)}) == 3


def test_work_is_done_once_for_the_same_inputs(tmp_path: Path) -> None:
    calls: list[int] = []

    def work() -> Point:
        calls.append(1)
        return Point(name="p", place=(3,))

    memo = Memo(store=kept(tmp_path))
    first = memo.of("work", ("x",), (Point,), work)
    again = memo.of("work", ("x",), (Point,), work)
    memo.of("work", ("y",), (Point,), work)
    memo.of("other", ("x",), (Point,), work)

    assert first == again == Point(name="p", place=(3,))
    assert (len(calls), memo.found, memo.done) == (3, 1, 3)


def test_another_setting_of_the_surroundings_is_another_answer(tmp_path: Path) -> None:
    one, other = (Store(folder=tmp_path, limit_bytes=1000, setting=setting) for setting in ("a", "b"))

    Memo(store=one).of("work", (), (), lambda: 1)

    assert Memo(store=other).of("work", (), (), lambda: 2) == 2
    assert Memo(store=one).of("work", (), (), lambda: 3) == 1


def test_what_may_not_be_kept_is_done_again(tmp_path: Path) -> None:
    memo = Memo(store=kept(tmp_path))

    found = [memo.of("work", (), (), lambda: 1, keep=lambda value: False) for _ in range(2)]

    assert found == [1, 1]
    assert memo.found == 0


def test_without_a_store_everything_is_done_each_time() -> None:
    memo = Memo()

    assert [memo.of("work", (object(),), (), lambda: 1) for _ in range(2)] == [1, 1]
    assert (memo.found, memo.done) == (0, 2)


def filled(folder: Path) -> Path:
    """Three entries and a training run of 1000 bytes each and more; the run is the second oldest."""
    writer = Store(folder=folder, limit_bytes=1 << 20)
    for age, key in ((400, "aa"), (200, "bb"), (100, "cc")):
        writer.put(key * 32, Entry(plain=1, blobs={"x": bytes(1000)}))
        (path,) = (folder / "stages" / key).iterdir()
        os.utime(path, (10_000 - age, 10_000 - age))
    run = folder / "training" / "training-1"
    run.mkdir(parents=True)
    for name in ("00001.checkpoint", "00002.checkpoint"):
        (run / name).write_bytes(bytes(500))
        os.utime(run / name, (10_000 - 300, 10_000 - 300))
    (folder / "arm64-1").mkdir()
    (folder / "arm64-1" / "root").write_bytes(bytes(5000))
    return folder


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        pytest.param(1 << 20, ["aa", "training-1", "bb", "cc"], id="all fits"),
        pytest.param(3500, ["training-1", "bb", "cc"], id="the oldest goes"),
        pytest.param(2500, ["bb", "cc"], id="a training run goes as a whole"),
        pytest.param(0, [], id="clear"),
    ],
)
def test_what_was_used_longest_ago_goes_first(tmp_path: Path, limit: int, left: list[str]) -> None:
    folder = filled(tmp_path)

    bound.prune(folder, limit)

    assert [piece.files[0].parent.name for piece in bound.pieces(folder)] == left
    assert (folder / "arm64-1" / "root").is_file()


def test_reading_counts_as_use(tmp_path: Path) -> None:
    folder = filled(tmp_path)

    Store(folder=folder, limit_bytes=1 << 20).get("aa" * 32)
    bound.prune(folder, 1500)

    assert [piece.files[0].parent.name for piece in bound.pieces(folder)] == ["aa"]


def test_files_that_a_killed_build_left_go_when_they_are_old(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    old, new = folder / "stages" / "aa" / "old.part", folder / "stages" / "aa" / "new.part"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (1, 1))

    bound.prune(folder, 1 << 20)

    assert not old.exists()
    assert new.exists()
