"""What a mistyped command line gets: the mistake, what is known, the near name, exit code 2."""

from __future__ import annotations

import json

import pytest

from edgecompile.cli.main import main

MISTAKES = [
    pytest.param(
        ["cache", "prune", "--size", "1"],
        "EC100",
        "`edgecompile cache prune` has no option `--size`",
        "help: see `edgecompile cache prune --help`",
        id="option-like-no-other",
    ),
    pytest.param(["--verion"], "EC100", "`edgecompile` has no option `--verion`", "`--version`", id="option"),
    pytest.param(
        ["build", "--targt", "coral"], "EC100", "has no option `--targt`", "`--target`", id="option-of-command"
    ),
    pytest.param(["biuld", "m.keras"], "EC101", "no command `biuld`", "`build`", id="command"),
    pytest.param(["targets", "lst"], "EC101", "`edgecompile targets` has no command `lst`", "`list`", id="subcommand"),
    pytest.param(["build", "--numerics", "int9"], "EC102", "`--numerics` cannot be `int9`", "`int8`", id="choice"),
    pytest.param(["build", "--seed", "many"], "EC102", "`--seed` cannot be `many`", "--help", id="number"),
    pytest.param(["build", "--verify-samples", "0"], "EC102", "`--verify-samples`", "--help", id="range"),
    pytest.param(["inspect"], "EC103", "`MODEL` is missing", "edgecompile inspect --help", id="argument"),
    pytest.param(["run", "folder"], "EC103", "`--on` is missing", "edgecompile run --help", id="required-option"),
    pytest.param(["build", "m.keras", "--target"], "EC104", "`--target` requires an argument", "--help", id="no-value"),
    pytest.param(["build", "--trust=yes"], "EC104", "`--trust` does not take a value", "--help", id="value-of-flag"),
    pytest.param(["build", "m.keras", "coral"], "EC105", "`coral`", "--target", id="word-too-many"),
    pytest.param(["explain", "EC999"], "EC108", "no diagnostic has the code `EC999`", "explain", id="code"),
    pytest.param(
        ["explain", "soup"], "EC108", "no diagnostic has the code `soup`", "edgecompile explain", id="no-code"
    ),
]


@pytest.mark.parametrize("words, code, message, help", MISTAKES)
def test_a_mistake_is_named_with_the_way_out(
    words: list[str], code: str, message: str, help: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code = main(words)

    out, err = capsys.readouterr()
    assert exit_code == 2
    assert err.startswith(f"error[{code}]: ")
    assert message in err
    assert help in err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize("words, code, message, help", MISTAKES)
def test_with_json_a_mistake_is_one_object_as_well(
    words: list[str], code: str, message: str, help: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code = main([words[0], "--json", *words[1:]])

    plain = json.loads(capsys.readouterr().out)
    assert exit_code == 2
    assert plain["schema"] == 1
    assert plain["status"] == "failed"
    assert [each["severity"] for each in plain["diagnostics"]] == ["error"]


def test_json_behind_two_dashes_is_an_argument_and_not_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["explain", "--", "--json"])

    assert exit_code == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "words", [["explain", "EC101"], ["explain", "ec101"], ["explain", "101"], ["explain", "[EC101]"]]
)
def test_a_code_may_be_named_as_it_is_met(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(words)

    out = capsys.readouterr().out
    assert exit_code == 0
    assert out.startswith("# EC101: ")


def test_explain_alone_lists_every_code_with_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain"])

    lines = capsys.readouterr().out.splitlines()
    assert "EC101  there is no such command" in lines
    assert lines == sorted(lines)


def test_explain_gives_the_page_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", "EC101", "--json"])

    plain = json.loads(capsys.readouterr().out)
    assert plain["code"] == "EC101"
    assert plain["title"] == "there is no such command"
    assert "## How out" in plain["page"]


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main([])

    assert exit_code == 0
    assert "build" in capsys.readouterr().out


def test_passes_says_so_when_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["passes", "--json"])

    plain = json.loads(capsys.readouterr().out)
    assert exit_code == 0
    assert isinstance(plain["passes"], dict)
