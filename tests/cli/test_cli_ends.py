"""Every way a command can end: its exit code, its words, and the JSON that says the same."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from edgecompile.cli import passes
from edgecompile.cli.main import main
from edgecompile.cli.outcome import show
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import bad_input, internal, missing, rejected
from edgecompile.core.report import Report

Fails = Callable[[BaseException], None]

ENDS = [
    pytest.param(rejected("EC100", "it will not do"), 1, "rejected", "EC100", id="rejected"),
    pytest.param(bad_input("EC100", "it cannot be read"), 2, "failed", "EC100", id="bad-input"),
    pytest.param(missing("EC190", "no library"), 3, "failed", "EC190", id="missing"),
    pytest.param(internal("EC900", "we broke"), 70, "failed", "EC900", id="internal"),
    pytest.param(ZeroDivisionError("division by zero"), 70, "failed", "EC900", id="bug"),
    pytest.param(RecursionError("too deep"), 70, "failed", "EC900", id="bug-of-recursion"),
    pytest.param(FileNotFoundError(errno.ENOENT, "No such file"), 70, "failed", "EC900", id="bug-with-a-file"),
    pytest.param(OSError(errno.ENOSPC, "No space left on device", "/mnt/x"), 2, "failed", "EC107", id="disk-full"),
    pytest.param(
        PermissionError(errno.EACCES, "Permission denied", "/mnt/x"), 2, "failed", "EC107", id="no-permission"
    ),
    pytest.param(OSError(errno.ENAMETOOLONG, "File name too long", "a" * 300), 2, "failed", "EC113", id="long-path"),
    pytest.param(OSError(errno.ELOOP, "Too many links", "a"), 2, "failed", "EC113", id="links-in-a-circle"),
    pytest.param(KeyboardInterrupt(), 130, "interrupted", None, id="interrupted"),
]


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Fails:
    """Make the `passes` command end in the exception."""

    def arrange(error: BaseException) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(passes.command, "callback", fail)

    return arrange


@pytest.mark.parametrize("error, exit_code, status, code", ENDS)
def test_each_end_has_its_exit_code_and_words_on_stderr(
    error: BaseException,
    exit_code: int,
    status: str,
    code: str | None,
    fails: Fails,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fails(error)

    found = main(["passes"])

    out, err = capsys.readouterr()
    assert found == exit_code
    assert out == ""
    assert "Traceback" not in err
    assert err.startswith(f"error[{code}]: " if code else "interrupted")


@pytest.mark.parametrize("error, exit_code, status, code", ENDS)
def test_each_end_is_one_json_object_where_json_is_asked_for(
    error: BaseException,
    exit_code: int,
    status: str,
    code: str | None,
    fails: Fails,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fails(error)

    main(["passes", "--json"])

    plain = json.loads(capsys.readouterr().out)
    assert plain["status"] == status
    assert [each["code"] for each in plain["diagnostics"]] == ([code] if code else [])
    assert {"schema", "target", "recipe", "model_sha256", "versions", "measures", "artifacts"} <= set(plain)


@pytest.mark.parametrize("way", ["flag", "environment"])
def test_a_bug_shows_its_traceback_to_those_who_ask(
    way: str, fails: Fails, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(ZeroDivisionError("division by zero"))
    monkeypatch.setenv("EDGECOMPILE_DEBUG", "1" if way == "environment" else "0")

    main(["passes", *(["--debug"] if way == "flag" else [])])

    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "error[EC900]" in err


def test_a_bug_names_the_place_and_how_to_report_it(fails: Fails, capsys: pytest.CaptureFixture[str]) -> None:
    fails(ZeroDivisionError("division by zero"))

    main(["passes"])

    err = capsys.readouterr().err
    assert "note: ZeroDivisionError: division by zero" in err
    assert "test_cli_ends.py:" in err
    assert "please report it" in err


def test_the_system_is_quoted_with_the_place_it_refused(fails: Fails, capsys: pytest.CaptureFixture[str]) -> None:
    fails(OSError(errno.EROFS, os.strerror(errno.EROFS), "/mnt/build"))

    main(["passes"])

    err = capsys.readouterr().err
    assert "error[EC107]: the system refused: read-only file system" in err
    assert "--> /mnt/build" in err


class Recorder:
    """A console that keeps what it is given."""

    json = False
    quiet = True

    def __init__(self) -> None:
        self.said: list[str] = []

    def diagnostics(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.said += [diagnostic.code for diagnostic in diagnostics]


@pytest.mark.parametrize(
    "statuses, exit_code",
    [
        pytest.param(["verified"], 0, id="verified"),
        pytest.param(["verified", "built"], 0, id="built-without-a-judge"),
        pytest.param(["verified", "rejected", "verified"], 1, id="one-of-three-rejected"),
        pytest.param(["rejected", "failed"], 3, id="a-program-is-missing"),
        pytest.param(["rejected", "interrupted"], 130, id="interrupted"),
    ],
)
def test_the_exit_code_is_the_worst_over_the_targets(statuses: list[str], exit_code: int) -> None:
    reports = [Report(status=status, target="t", recipe={}, model_sha256="", versions={}) for status in statuses]

    assert show(Recorder(), reports) == exit_code  # type: ignore[arg-type]
