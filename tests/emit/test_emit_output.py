"""Output folders: whole or as they were, unchanged files untouched, foreign files kept."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.emit import output, output_lock, output_swap
from edgecompile.emit.output import publish, staged, without_durations
from edgecompile.emit.output_errors import told

Content = dict[str, bytes]


def report(*paths: str, duration_s: float = 1.0, **more: object) -> bytes:
    plain = {"stages": [{"name": "load", "duration_s": duration_s}], "artifacts": [{"path": p} for p in paths], **more}
    return json.dumps(plain).encode()


def build(place: Path, files: Content) -> output.Published:
    with staged(place) as folder:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return publish(folder, place)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def inodes(folder: Path) -> dict[str, tuple[int, int]]:
    stats = {str(p.relative_to(folder)): p.stat() for p in folder.rglob("*") if p.is_file()}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


FIRST = {"m.tflite": b"1", "assets/a": b"a", "report.json": report("m.tflite", "assets/a")}


@pytest.fixture(params=["exchange", "two steps"])
def place(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "two steps":
        monkeypatch.setattr(output_swap, "_renameat2", lambda: None)
    return tmp_path / "build" / "coral"


def test_a_first_build_makes_the_folder_and_leaves_nothing_beside_it(place: Path) -> None:
    published = build(place, FIRST)

    assert tree(place) == FIRST
    assert published.written == ("assets/a", "m.tflite", "report.json")
    assert os.listdir(place.parent) == ["coral"]


def test_a_second_build_of_the_same_bytes_touches_nothing(place: Path) -> None:
    build(place, FIRST)
    before, folder = inodes(place), place.stat()

    published = build(place, {**FIRST, "report.json": report("m.tflite", "assets/a", duration_s=7.5)})

    assert (published.written, published.removed) == ((), ())
    assert inodes(place) == before
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (folder.st_ino, folder.st_mtime_ns)


def test_only_what_changed_gets_a_new_inode(place: Path) -> None:
    build(place, FIRST)
    before = inodes(place)

    published = build(place, {**FIRST, "m.tflite": b"2"})

    after = inodes(place)
    assert published.written == ("m.tflite",)
    assert after["assets/a"] == before["assets/a"]
    assert after["report.json"] == before["report.json"]
    assert after["m.tflite"] != before["m.tflite"]
    assert tree(place)["m.tflite"] == b"2"


def test_a_report_that_differs_in_more_than_durations_is_written(place: Path) -> None:
    build(place, FIRST)

    published = build(place, {**FIRST, "report.json": report("m.tflite", "assets/a", status="verified")})

    assert published.written == ("report.json",)


def test_what_an_earlier_build_made_goes_and_what_is_the_users_stays(place: Path) -> None:
    build(place, FIRST)
    (place / "notes").mkdir()
    (place / "notes" / "mine.txt").write_text("mine")
    (place / "empty").mkdir()
    (place / "link").symlink_to("notes")
    inode = (place / "notes" / "mine.txt").stat().st_ino

    published = build(place, {"m.tflite": b"1", "report.json": report("m.tflite")})

    assert published.removed == ("assets/a",)
    assert sorted(os.listdir(place)) == ["empty", "link", "m.tflite", "notes", "report.json"]
    assert (place / "notes" / "mine.txt").stat().st_ino == inode
    assert os.readlink(place / "link") == "notes"


def test_a_failing_build_leaves_the_earlier_output_as_it_was(place: Path) -> None:
    build(place, FIRST)
    before = inodes(place)

    with pytest.raises(RuntimeError), staged(place) as folder:
        (folder / "m.tflite").write_bytes(b"half")
        raise RuntimeError

    assert inodes(place) == before
    assert os.listdir(place.parent) == ["coral"]


def test_a_failing_first_build_leaves_no_folder_behind(place: Path) -> None:
    with pytest.raises(KeyboardInterrupt), staged(place):
        raise KeyboardInterrupt

    assert not place.parent.exists()


@pytest.mark.parametrize("at", ["first", "second"])
def test_an_interruption_between_two_steps_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    place = tmp_path / "coral"
    build(place, FIRST)
    monkeypatch.setattr(output_swap, "_renameat2", lambda: None)
    rename, calls = os.rename, []

    def interrupted(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == {"first": 1, "second": 2}[at]:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(place, {"m.tflite": b"2"})

    assert tree(place) == FIRST
    assert os.listdir(tmp_path) == ["coral"]


def test_what_a_killed_build_left_behind_is_put_right_by_the_next(tmp_path: Path) -> None:
    place = tmp_path / "coral"
    build(place, FIRST)
    os.rename(place, output_swap.beside(place, "previous"))  # killed between the two renames
    output_swap.beside(place, "staging").mkdir()
    (output_swap.beside(place, "staging") / "half").write_bytes(b"half")

    with staged(place) as folder:
        assert os.listdir(folder) == []
        assert tree(place) == FIRST

    assert os.listdir(tmp_path) == ["coral"]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "coral").symlink_to("real")

    build(tmp_path / "coral", FIRST)

    assert (tmp_path / "coral").is_symlink()
    assert tree(tmp_path / "real") == FIRST


def test_without_hard_links_unchanged_files_keep_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "coral"
    build(place, FIRST)
    os.utime(place / "assets" / "a", ns=(10**18, 10**18))

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    build(place, {**FIRST, "m.tflite": b"2"})

    assert (place / "assets" / "a").stat().st_mtime_ns == 10**18


def test_a_report_that_names_files_elsewhere_is_not_obeyed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    place = tmp_path / "coral"
    build(place, {"report.json": report("../precious", "/etc/passwd")})

    published = build(place, {"report.json": report()})

    assert published.removed == ()
    assert (tmp_path / "precious").exists()


def test_durations_alone_make_no_difference() -> None:
    assert without_durations(report(duration_s=1)) == without_durations(report(duration_s=2))
    assert without_durations(report(duration_s=1)) != without_durations(report("x", duration_s=1))
    assert without_durations(b"no json") == b"no json"


# -- refusals -----------------------------------------------------------------------------------------------------


def refusal(place: Path, **options: float) -> str:
    with pytest.raises(BadInputError) as raised, staged(place, **options):
        pass
    diagnostic = raised.value.diagnostics[0]
    assert diagnostic.help
    return diagnostic.code


def test_a_file_in_the_way_is_ec632(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    assert refusal(tmp_path / "file" / "coral") == "EC632"
    with pytest.raises(BadInputError, match="EC632"):
        build(tmp_path / "file", FIRST)
    assert (tmp_path / "file").read_text() == "mine"
    assert os.listdir(tmp_path) == ["file"]


def test_a_users_folder_where_a_file_goes_is_ec632(tmp_path: Path) -> None:
    (tmp_path / "coral" / "m.tflite").mkdir(parents=True)
    (tmp_path / "coral" / "m.tflite" / "mine").write_text("mine")

    with pytest.raises(BadInputError, match="EC632"):
        build(tmp_path / "coral", FIRST)

    assert (tmp_path / "coral" / "m.tflite" / "mine").read_text() == "mine"


@pytest.mark.parametrize("name", ["a" * 256, "b" * 250], ids=["the folder itself", "while it is built"])
def test_a_name_too_long_is_ec633(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path / name) == "EC633"
    assert os.listdir(tmp_path) == []


def test_a_name_with_a_zero_byte_is_ec633(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a\0b") == "EC633"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_ec630(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    assert refusal(tmp_path / "coral") == "EC630"


SYSTEM = {
    "no permission": (errno.EACCES, "EC630"),
    "read-only": (errno.EROFS, "EC630"),
    "disk full": (errno.ENOSPC, "EC631"),
    "quota": (errno.EDQUOT, "EC631"),
    "device fails": (errno.EIO, "EC635"),
    "mount point": (errno.EBUSY, "EC635"),
}


@pytest.mark.parametrize(("number", "code"), SYSTEM.values(), ids=SYSTEM)
def test_what_the_system_refuses_at_the_place_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    place = tmp_path / "coral"
    build(place, FIRST)

    def refused(source: Path, target: Path) -> None:
        raise OSError(number, os.strerror(number), str(source))

    monkeypatch.setattr(output, "put_in_place", refused)
    with pytest.raises(BadInputError) as raised:
        build(place, {"m.tflite": b"2"})

    assert raised.value.diagnostics[0].code == code
    assert os.strerror(number).lower() in raised.value.diagnostics[0].render()
    assert tree(place) == FIRST


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_in_the_middle_of_a_write_is_ec631(tmp_path: Path) -> None:
    place = tmp_path / "coral"
    build(place, FIRST)

    with pytest.raises(BadInputError) as raised, staged(place) as folder:
        (folder / "m.tflite").symlink_to("/dev/full")
        (folder / "m.tflite").write_bytes(b"x" * 100)

    assert raised.value.diagnostics[0].code == "EC631"
    assert any(note.startswith("free at the output") for note in raised.value.diagnostics[0].notes)
    assert tree(place) == FIRST


def test_trouble_elsewhere_is_not_taken_for_ours(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), staged(tmp_path / "out" / "coral"):
        (tmp_path / "elsewhere" / "absent").read_bytes()


# -- two builds at once -------------------------------------------------------------------------------------------


def hold(place: Path, end: Connection) -> None:
    with staged(place) as folder:
        (folder / "m.tflite").write_bytes(b"theirs")
        end.send("held")
        end.poll(30)
        publish(folder, place)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[tuple[BaseProcess, Callable[[], None]]]:
    """Another build of the same folder, and what lets it finish; a killed waiter would block an Event, not a pipe."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=hold, args=(tmp_path / "coral", there))
    process.start()
    there.close()
    assert here.poll(30)

    def let_go() -> None:
        with suppress(OSError):
            here.send("go")

    yield process, let_go
    let_go()
    process.join(30)
    here.close()


def test_a_second_build_of_one_folder_is_ec634_and_names_the_first(tmp_path: Path, holder: tuple) -> None:
    with pytest.raises(BadInputError) as raised, staged(tmp_path / "coral", wait_s=0):
        pass

    assert raised.value.diagnostics[0].code == "EC634"
    assert f"process {holder[0].pid}" in raised.value.diagnostics[0].notes[0]


def test_a_second_build_waits_for_the_first(tmp_path: Path, holder: tuple) -> None:
    process, let_go = holder
    let_go()

    with staged(tmp_path / "coral", wait_s=30):
        assert tree(tmp_path / "coral") == {"m.tflite": b"theirs"}

    process.join(30)
    assert os.listdir(tmp_path) == ["coral"]


def test_a_build_that_was_killed_holds_nothing(tmp_path: Path, holder: tuple) -> None:
    holder[0].kill()
    holder[0].join(30)

    build(tmp_path / "coral", FIRST)

    assert tree(tmp_path / "coral") == FIRST
    assert os.listdir(tmp_path) == ["coral"]


def test_builds_of_different_folders_do_not_wait(tmp_path: Path, holder: tuple) -> None:
    with staged(tmp_path / "cortex-m4", wait_s=0) as folder:
        assert folder.is_dir()


def test_a_folder_that_another_build_takes_away_is_made_again(tmp_path: Path) -> None:
    with output_lock.locked(tmp_path / "gone" / "place", 5.0):
        assert (tmp_path / "gone").is_dir()


def test_help_names_the_option_that_named_the_folder(tmp_path: Path) -> None:
    place = tmp_path / "study"

    with pytest.raises(BadInputError) as raised, told(place, "--study"):
        raise OSError(errno.EIO, "input/output error", str(place / "journal.log"))

    assert raised.value.diagnostics[0].help == ("name another folder with `--study`",)
