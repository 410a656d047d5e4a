"""Profiles become targets: `extends` laid over, sources spelt out, and what is wrong said with its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecompile.config.profiles import check, load, names, new
from edgecompile.core.errors import BadInputError
from edgecompile.core.target import Clause, Region

WHOLE = """
schema = 1
name = "whole"
description = "says all of it"
numerics = ["int8"]
io_dtype = "int8"
emit = ["tflite"]
judge = "tflite"
[placement]
accelerator = "npu"
[sources]
sheet = "the data sheet, revision 3"
[clauses]
static_shapes = true
source = "sheet: table 2"
[[operators.ADD]]
max_rank = 4
[[operators.MUL]]
source = "another document"
basis = "observed"
static_shapes = false
"""


def written(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def codes_of(path: Path) -> list[str]:
    """The codes that `check` and `load` say, which must be the same."""
    found = [diagnostic.code for diagnostic in check(path)]
    with pytest.raises(BadInputError) as caught:
        load(str(path))
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == found
    return found


def test_a_whole_profile_needs_nothing_else(tmp_path: Path) -> None:
    target = load(str(written(tmp_path, WHOLE)))

    assert (target.id, target.name, target.family, target.placement.accelerator) == ("mine", "whole", "mine", "npu")
    assert target.operators["ADD"] == (
        Clause(rules={"static_shapes": True, "max_rank": 4}, source="the data sheet, revision 3, table 2"),
    )
    assert target.operators["MUL"] == (
        Clause(rules={"static_shapes": False}, source="another document", basis="observed"),
    )


def test_what_extends_is_laid_over_what_is_extended(tmp_path: Path) -> None:
    written(tmp_path, WHOLE, "base")
    child = written(
        tmp_path,
        'schema = 1\nextends = "base"\nname = "child"\n'
        '[[memory]]\nname = "m"\nkind = "ram"\nsize = "64 KiB"\nstart = 0x2000_0000\nsource = "sheet"\n'
        '[placement]\nfallback = "cpu"\n[[operators.ADD]]\nmax_rank = 2\nsource = "sheet"\n',
        "child",
    )

    target = load(str(child))

    assert (target.name, target.description, target.family) == ("child", "says all of it", "base")
    assert (target.placement.accelerator, target.placement.fallback) == ("npu", "cpu")
    assert [clause.rules for clause in target.operators["ADD"]] == [{"max_rank": 2}]
    assert set(target.operators) == {"ADD", "MUL"}
    assert target.regions == (
        Region(name="m", kind="ram", size_bytes=65536, start=0x2000_0000, source="the data sheet, revision 3"),
    )
    assert target.capacity_bytes("ram") == 65536


def test_a_profile_beside_the_project_comes_before_a_shipped_one(tmp_path: Path) -> None:
    written(tmp_path, 'schema = 1\nextends = "coral"\nname = "our own"\n', "coral")

    assert load("coral", extra=tmp_path).name == "our own"
    assert load("coral").name != "our own"


def test_an_unknown_target_is_said_with_its_near_name() -> None:
    with pytest.raises(BadInputError) as caught:
        load("nucleo-f446rx")

    (found,) = caught.value.diagnostics
    assert (found.code, found.help[0]) == ("EC140", "did you mean `nucleo-f446re`?")


def test_another_number_is_no_misspelling() -> None:
    with pytest.raises(BadInputError) as caught:
        load("android-nnapi-26")

    levels = ", ".join(f"android-nnapi-{level}" for level in range(27, 32))
    assert caught.value.diagnostics[0].help[0] == f"there are: {levels}"


def test_a_level_newer_than_all_profiles_is_led_to_the_newest() -> None:
    newest = max(load(name).level or 0 for name in names() if name.startswith("android-nnapi-"))

    with pytest.raises(BadInputError) as newer:
        load(f"android-nnapi-{newest + 11}")
    with pytest.raises(BadInputError) as huge:
        load(f"android-nnapi-{'9' * 5000}")
    with pytest.raises(BadInputError) as no_level:
        load("ethos-u55-512")

    told = f"`android-nnapi-{newest}` is of the newest level known, {newest}, and serves newer ones too"
    assert newer.value.diagnostics[0].help[0] == huge.value.diagnostics[0].help[0] == told
    assert newer.value.diagnostics[0].help[1].startswith("there are: android-nnapi-27")
    assert no_level.value.diagnostics[0].help[0].startswith("there are: ethos-u55-128")


def test_a_broken_profile_with_another_number_does_not_hide_what_is_asked(tmp_path: Path) -> None:
    (tmp_path / "phone-1.toml").write_text("schema = \n")
    (tmp_path / "phone-2.toml").write_text('schema = 1\nextends = 3\nlevel = "x"\noperators = 3\n')

    with pytest.raises(BadInputError) as caught:
        load("phone-3", extra=tmp_path)

    assert caught.value.diagnostics[0].help[0] == "there are: phone-1, phone-2"


def test_a_level_without_rules_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, 'schema = 1\nextends = "android-nnapi"\nlevel = 26\nsource = "here"\n')

    with pytest.raises(BadInputError) as caught:
        load(str(path))

    (found,) = caught.value.diagnostics
    assert (found.code, found.notes[0]) == ("EC593", "limit: 27, the lowest that takes an operator")
    assert check(path) == (found,)


@pytest.mark.parametrize("target", ["", "../setup", "families/coral", "CORAL", "a\0b"])
def test_what_is_no_id_is_an_unknown_target(target: str) -> None:
    with pytest.raises(BadInputError) as caught:
        load(target)

    assert caught.value.diagnostics[0].code == "EC140"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"name = ", b"schema = 2", b"x" * 100])
def test_a_file_that_is_no_profile_is_said_without_a_traceback(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)

    assert codes_of(path)


def test_extending_in_a_circle_is_said_with_the_circle(tmp_path: Path) -> None:
    path = written(tmp_path, 'schema = 1\nextends = "b"\n', "a")
    written(tmp_path, 'schema = 1\nextends = "a"\n', "b")

    assert codes_of(path) == ["EC141"]
    assert check(path)[0].notes == ("`a` extends `b` extends `a`",)


BAD = {
    "EC123": ('schema = 1\nnmae = "x"\nextends = "coral"\n', "did you mean `name`?"),
    "EC124": ('schema = 1\nname = 3\nsource = "s"\nextends = "coral"\n', None),
    "EC125": ('schema = 1\nio_dtype = "int9"\nextends = "coral"\n', "did you mean `int8`?"),
    "EC126": ('extends = "coral"\n', "add `schema = ...`"),
    "EC142": (
        'schema = 1\nextends = "coral"\n[[memory]]\nname = "ram"\nkind = "ram"\nsize = "1 KiB"\n',
        'add `source = "..."` to the same table',
    ),
    "EC143": (
        'schema = 1\nextends = "coral"\n[[operators.ADD]]\nmax_rnak = 4\nsource = "s"\n',
        "did you mean `max_rank`?",
    ),
    "EC144": ('schema = 1\nextends = "cortex-m5"\n', "did you mean `cortex-m55`?"),
    "EC145": ('schema = 1\nname = "x"\n', None),
    "EC147": (
        'schema = 1\nextends = "coral"\n'
        '[[memory]]\nname = "ram"\nkind = "ram"\nsize = "64 MiB"\nstart = 0xff00_0000\nsource = "s"\n',
        None,
    ),
}


@pytest.mark.parametrize(("code", "text", "help"), [(code, *case) for code, case in BAD.items()], ids=list(BAD))
def test_what_is_wrong_with_a_profile_is_said(tmp_path: Path, code: str, text: str, help: str | None) -> None:
    path = written(tmp_path, text)

    assert codes_of(path) == [code]
    assert help is None or check(path)[0].help[0] == help


def test_extending_a_name_that_no_file_may_have_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, f'schema = 1\nextends = "{"a" * 5000}"\n')

    assert codes_of(path) == ["EC144"]


NUMBERS = {
    "level": "level = 30\n",
    "clock": "[board]\nclock_hz = 80\n",
    "nested": "[board]\n[board.usb]\nvendor = 1\n",
    "list": "[measure]\nrates = [1.5]\n",
    "runtime": '[runtime]\nflash_bytes = "1 KiB"\n',
    "placement": "[placement]\nmax_partitions = 3\n",
    "clause": "[[operators.ADD]]\nmax_rank = 4\n",
    "blank source": '[board]\nclock_hz = 80\nsource = " "\n',
}


@pytest.mark.parametrize("text", NUMBERS.values(), ids=NUMBERS)
def test_a_number_without_a_source_is_refused(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, 'schema = 1\nextends = "coral"\n' + text)

    assert codes_of(path) == ["EC142"]


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, 'schema = 1\nextends = "coral"\nnmae = "x"\n[board]\nclock_hz = 1\n[runtime]\nfalsh = 1\n')

    assert sorted(codes_of(path)) == ["EC123", "EC123", "EC142", "EC142"]


@pytest.mark.parametrize("operators", ["operators = 3", "[operators]\nADD = 3", "[operators]\nADD = [3]"])
def test_operators_of_the_wrong_form_are_refused(tmp_path: Path, operators: str) -> None:
    path = written(tmp_path, f'schema = 1\nextends = "coral"\nsource = "s"\n{operators}\n')

    assert set(codes_of(path)) == {"EC124"}


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("input_dtypes = { first = ['int8'] }", "EC123"),
        ("input_dtypes = { 1 = 'int8' }", "EC124"),
        ("min_ranks = { 1 = -1 }", "EC125"),
        ("options = { keep_num_dims = false }", "EC124"),
        ("max_rank = 'four'", "EC124"),
        ("basis = 'guessed'", "EC125"),
    ],
)
def test_limits_of_the_wrong_form_are_refused(tmp_path: Path, limit: str, code: str) -> None:
    path = written(tmp_path, f'schema = 1\nextends = "coral"\n[[operators.ADD]]\nsource = "s"\n{limit}\n')

    assert codes_of(path) == [code]


@pytest.mark.parametrize(
    ("board", "code"),
    [
        ("flash = 4", "EC124"),
        ("[board.flash]\nwait_states = 'five'\nline_bytes = 8", "EC124"),
        ("[board.flash]\nwait_states = 5\nline_bytes = 0", "EC125"),
        ("[board.flash]\nwait_states = 5", "EC126"),
        ("[board.flash]\nwait_states = 5\nline_bytes = 8\nwait = 1", "EC123"),
        ("[board.timing]\ncycles_per_instruction = 0", "EC125"),
    ],
)
def test_what_time_is_predicted_from_is_checked(tmp_path: Path, board: str, code: str) -> None:
    source = "" if board.startswith("flash") else 'source = "s"\n'
    path = written(tmp_path, f'schema = 1\nextends = "cortex-m4"\n[board]\nsource = "s"\n{board}\n{source}')

    assert codes_of(path) == [code]


def test_a_new_profile_can_be_used_as_it_is_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "my-board.toml"

    new("my-board", "cortex-m4", path)

    assert check(path) == ()
    assert (load(str(path)).family, load(str(path)).regions) == ("cortex-m", ())
    with pytest.raises(BadInputError) as caught:
        new("my-board", "cortex-m4", path)
    assert caught.value.diagnostics[0].code == "EC146"


def test_a_new_profile_extends_what_exists_and_has_an_id(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as absent:
        new("my-board", "cortex-m5", tmp_path / "a.toml")
    with pytest.raises(BadInputError) as unnamed:
        new("My Board!", "cortex-m4", tmp_path / "b.toml")

    assert absent.value.diagnostics[0].code == "EC144"
    assert unnamed.value.diagnostics[0].code == "EC148"
    assert unnamed.value.diagnostics[0].help == ("try `my-board`",)
    assert list(tmp_path.iterdir()) == []


def test_names_are_sorted_and_leave_families_out() -> None:
    assert list(names()) == sorted(names())
    assert not any("/" in name for name in names())
