"""Tables held against their declared keys."""

from __future__ import annotations

from typing import Any

import pytest

from edgecompile.config.table import KINDS, Key, check_table, check_value, place

KEYS = {
    "seed": Key(kind="integer", minimum=0),
    "share": Key(kind="number", above=0, below=1),
    "numerics": Key(kind="text", choices=("int8", "float32")),
    "resize": Key(kind="integers", minimum=1, maximum=100, lengths=(2,)),
    "size": Key(kind="size"),
}


def codes(plain: dict[str, Any]) -> list[str]:
    """The codes of what is wrong."""
    return [problem.code for problem in check_table(plain, KEYS, file="f.toml", table="t")]


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param({}, id="nothing"),
        pytest.param(
            {"seed": 0, "share": 0.5, "numerics": "int8", "resize": [1, 100], "size": "4 KiB"}, id="everything"
        ),
        pytest.param({"share": 0.25, "size": 4096}, id="numbers"),
    ],
)
def test_a_good_table_has_nothing_wrong(plain: dict[str, Any]) -> None:
    assert codes(plain) == []


@pytest.mark.parametrize(
    ("plain", "limit", "found", "help"),
    [
        pytest.param({"seed": -1}, "at least 0", "-1", "give a number of at least 0", id="below-minimum"),
        pytest.param({"share": 0}, "more than 0", "0", "give a number above 0 and below 1", id="at-excluded-minimum"),
        pytest.param(
            {"share": 1.0}, "less than 1", "1.0", "give a number above 0 and below 1", id="at-excluded-maximum"
        ),
        pytest.param({"numerics": "int9"}, "one of `int8`, `float32`", "int9", "did you mean `int8`?", id="no-choice"),
        pytest.param(
            {"numerics": "x"}, "one of `int8`, `float32`", "x", "take one of them, as in `int8`", id="nowhere-near"
        ),
        pytest.param(
            {"resize": [1, 101]},
            "at most 100",
            "101",
            "give numbers of at least 1 and at most 100",
            id="inside-a-list",
        ),
        pytest.param({"resize": [1]}, "2 elements", "1", "give it 2 of them", id="list-too-short"),
    ],
)
def test_a_value_out_of_range_is_told_with_limit_found_and_help(
    plain: dict[str, Any], limit: str, found: str, help: str
) -> None:
    (problem,) = check_table(plain, KEYS, file="f.toml", table="t")

    assert problem.code == "EC125"
    assert problem.notes == (f"limit: {limit}", f"found: {found}")
    assert problem.help == (help,)


def test_large_limits_are_told_to_the_digit() -> None:
    (problem,) = check_table({"seed": 2**33}, {"seed": Key(kind="integer", maximum=2**32 - 1)}, file="f.toml")

    assert problem.notes[0] == "limit: at most 4294967295"


@pytest.mark.parametrize(
    ("plain", "help"),
    [
        pytest.param({"seed": "3"}, "write it without quotes: `3`", id="number-in-quotes"),
        pytest.param({"share": " 0.5"}, "write it without quotes: `0.5`", id="fraction-in-quotes"),
        pytest.param({"seed": "0.5"}, "give a whole number, or leave the key out", id="fraction-for-integer"),
        pytest.param({"resize": 3}, "put it in brackets: `[3]`", id="one-for-a-list"),
        pytest.param({"numerics": 8}, "give a text, or leave the key out", id="integer-for-text"),
    ],
)
def test_a_value_of_another_type_is_told_with_how_it_may_be_meant(plain: dict[str, Any], help: str) -> None:
    (problem,) = check_table(plain, KEYS, file="f.toml", table="t")

    assert (problem.code, problem.help) == ("EC124", (help,))


@pytest.mark.parametrize(
    ("plain", "found"),
    [
        pytest.param({"seed": "three"}, 'found the text "three"', id="text-for-integer"),
        pytest.param({"seed": True}, "found `true`", id="flag-for-integer"),
        pytest.param({"seed": 1.5}, "found the number 1.5", id="fraction-for-integer"),
        pytest.param({"seed": 2**70}, f"found the number {2**70}", id="wider-than-64-bits"),
        pytest.param({"share": float("nan")}, "found the number nan", id="nan"),
        pytest.param({"share": float("inf")}, "found the number inf", id="infinity"),
        pytest.param({"numerics": 8}, "found the number 8", id="integer-for-text"),
        pytest.param({"resize": 3}, "found the number 3", id="integer-for-list"),
        pytest.param({"resize": [1, "2"]}, 'found the list [1, "2"]', id="text-in-list"),
        pytest.param({"size": "4 parsec"}, 'found the text "4 parsec"', id="no-size"),
        pytest.param({"size": {}}, "found a table", id="table-for-size"),
    ],
)
def test_a_value_of_another_type_is_told(plain: dict[str, Any], found: str) -> None:
    (problem,) = check_table(plain, KEYS, file="f.toml", table="t")

    assert problem.code == "EC124"
    assert problem.notes == (found,)


def test_an_unknown_key_is_told_with_file_table_key_and_near_name() -> None:
    (problem,) = check_table({"sead": 1}, KEYS, file="f.toml", table="t")

    assert problem.code == "EC123"
    assert problem.location == place("f.toml", "t", "sead")
    assert str(problem.location) == "f.toml, [t] `sead`"
    assert problem.help == ("did you mean `seed`?",)


def test_a_key_of_another_table_is_sent_there() -> None:
    (problem,) = check_table({"flash": 1}, KEYS, file="f.toml", table="t", homes={"flash": "budget"})

    assert problem.help == ("`flash` belongs to [budget]",)


def test_a_missing_key_is_told() -> None:
    keys = {"id": Key(kind="text", required=True)}

    (problem,) = check_table({}, keys, file="f.toml")

    assert (problem.code, problem.message) == ("EC126", "the top of the file lacks the key `id`")


def test_keys_of_any_name_can_be_allowed() -> None:
    assert check_table({"any": 1}, {}, file="f.toml", others=Key(kind="integer")) == ()
    assert [p.code for p in check_table({"any": "x"}, {}, file="f.toml", others=Key(kind="integer"))] == ["EC124"]


def test_everything_wrong_is_told_at_once() -> None:
    assert codes({"seed": -1, "sead": 1, "size": "big"}) == ["EC125", "EC123", "EC124"]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_answers_any_value_without_failing(kind: str) -> None:
    values: list[Any] = ["", "x", 0, -1, 2**80, 1.5, float("inf"), True, [], [[]], [1], ["a"], {}, {"a": 1}, None]

    for value in values:
        for problem in check_value(value, Key(kind=kind, minimum=0), place("f", "", "k"), "`k`"):
            assert problem.code in ("EC124", "EC125")
