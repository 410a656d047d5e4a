"""`targets list | show | new | check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgecompile.cli.main import main
from edgecompile.config.profiles import names


def test_list_names_every_profile_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["targets", "list"])

    lines = capsys.readouterr().out.splitlines()
    assert exit_code == 0
    assert [line.split()[0] for line in lines] == list(names())
    assert max(map(len, lines)) <= 80
    assert {"coral", "cortex-m4", "android-nnapi"} <= set(names())


def test_targets_alone_lists_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    main(["targets"])
    alone = capsys.readouterr().out

    main(["targets", "list"])

    assert capsys.readouterr().out == alone


def test_list_as_json_has_the_memory_in_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    main(["targets", "list", "--json"])

    targets = json.loads(capsys.readouterr().out)["targets"]
    assert [target["id"] for target in targets] == list(names())
    assert all(isinstance(target["flash_bytes"], int | None) for target in targets)


@pytest.mark.parametrize("name", ["coral", "cortex-m4", "android-nnapi"])
def test_show_names_what_runs_and_where_it_is_from(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["targets", "show", name])

    out = capsys.readouterr().out
    assert exit_code == 0
    assert out.startswith(f"{name}: ")
    assert "CONV_2D" in out
    assert "\nSources\n" in out
    assert max(map(len, out.splitlines())) <= 160


def test_show_as_json_is_the_whole_profile(capsys: pytest.CaptureFixture[str]) -> None:
    main(["targets", "show", "coral", "--json"])

    plain = json.loads(capsys.readouterr().out)
    assert plain["id"] == "coral"
    assert plain["operators"]["CONV_2D"][0]["source"]


def test_an_unknown_target_gets_its_near_name(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["targets", "show", "corall"])

    err = capsys.readouterr().err
    assert exit_code == 2
    assert "error[EC140]" in err
    assert "did you mean `coral`?" in err


def test_a_new_profile_can_be_checked_and_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"

    assert main(["targets", "new", "mine", "--extends", "cortex-m4", "--output", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert main(["targets", "check", str(path)]) == 0
    assert main(["targets", "show", str(path)]) == 0


def test_a_shipped_profile_is_checked_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "check", "coral"]) == 0
    assert "--target coral" in capsys.readouterr().err


def test_check_tells_everything_that_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('schema = 1\nextends = "cortex-m4"\nnam = "x"\nnumerix = ["int8"]\n')

    exit_code = main(["targets", "check", str(path), "--json"])

    out, err = capsys.readouterr()
    assert exit_code == 2
    assert "did you mean `name`?" in err
    assert len(json.loads(out)["diagnostics"]) >= 2


def test_a_profile_that_is_there_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine")

    exit_code = main(["targets", "new", "mine", "--extends", "cortex-m4", "--output", str(path)])

    assert exit_code == 2
    assert "error[EC146]" in capsys.readouterr().err
    assert path.read_text() == "mine"
