from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgecompile.core.errors import MissingError
from edgecompile.libs.programs import find, missing_program, run

LIMIT_S = 60.0


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_program_on_the_path_is_found() -> None:
    found = find("sh")

    assert found is not None
    assert found.is_file()


def test_a_program_that_is_not_there_is_none() -> None:
    assert find("no-such-program-here") is None


def test_output_and_exit_code_come_back_apart() -> None:
    finished = run(
        python("import sys; print('ü out'); print('err', file=sys.stderr); sys.exit(3)"),
        LIMIT_S,
        environment={"PYTHONUTF8": "1"},
    )

    assert (finished.returncode, finished.stdout, finished.stderr) == (3, "ü out\n", "err\n")
    assert not finished.timed_out


def test_output_that_is_no_text_stays_readable() -> None:
    finished = run(python("import os; os.write(1, b'a\\xffb')"), LIMIT_S)

    assert finished.stdout == "a\ufffdb"


def test_a_program_runs_where_it_is_told_and_reads_what_it_is_given(tmp_path: Path) -> None:
    finished = run(
        python("import os, sys; print(os.getcwd(), sys.stdin.read())"), LIMIT_S, cwd=tmp_path, stdin=b"given"
    )

    assert finished.stdout == f"{tmp_path} given\n"


def test_a_program_without_input_finds_it_empty() -> None:
    assert run(python("import sys; print(repr(sys.stdin.read()))"), LIMIT_S).stdout == "''\n"


def test_a_variable_is_added_to_the_environment() -> None:
    finished = run(
        python("import os; print(os.environ['EXTRA'], 'PATH' in os.environ)"), LIMIT_S, environment={"EXTRA": "1"}
    )

    assert finished.stdout == "1 True\n"


def test_a_program_that_takes_too_long_is_ended_with_all_it_started() -> None:
    # The grandchild holds the output open: waiting for its end would take ten minutes.
    code = "import subprocess, sys, time; print('begun', flush=True); subprocess.run(['sleep', '600'])"

    finished = run(python(code), 1.0)

    assert finished.timed_out
    assert finished.returncode == -9
    assert finished.stdout == "begun\n"


@pytest.mark.parametrize(
    "name, help",
    [
        pytest.param("qemu-system-arm", "install it: sudo apt-get install qemu-system-arm", id="qemu"),
        pytest.param(
            "arm-none-eabi-gcc",
            "install it: sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
            id="packages-of-other-names",
        ),
        pytest.param("own-tool", "install `own-tool` and put it on the PATH", id="unknown"),
    ],
)
def test_a_missing_program_is_named_with_the_command_that_installs_it(name: str, help: str) -> None:
    error = missing_program(name, "to emulate the board")

    assert isinstance(error, MissingError)
    (diagnostic,) = error.diagnostics
    assert diagnostic.code == "EC191"
    assert diagnostic.message == f"the program `{name}` is not installed, needed to emulate the board"
    assert diagnostic.help == (help,)


def test_running_a_missing_program_is_ec191() -> None:
    with pytest.raises(MissingError) as raised:
        run(["no-such-program-here", "--version"], LIMIT_S)

    assert raised.value.diagnostics[0].code == "EC191"
