"""Completion in a shell: the script it takes in, and what it is told at a Tab."""

from __future__ import annotations

import pytest

from edgecompile.cli.completion import VARIABLE, complete
from edgecompile.config.profiles import names


def completed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    asked = {VARIABLE: "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in asked.items():
            patch.setenv(name, value)
        assert complete(asked) == 0
    return [line.partition(",")[2] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    if shell == "bash":
        from click.shell_completion import BashComplete

        with pytest.MonkeyPatch.context() as patch:  # which bash is installed does not matter for the script
            patch.setattr(BashComplete, "_check_version", staticmethod(lambda: None))
            assert complete({VARIABLE: "bash_source"}) == 0
    else:
        assert complete({VARIABLE: f"{shell}_source"}) == 0

    assert VARIABLE in capsys.readouterr().out


def test_nothing_is_done_when_no_shell_asks() -> None:
    assert complete({}) is None


def test_commands_targets_recipes_and_codes_are_completed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "inspect" in completed(capsys, "edgecompile", "in")
    assert completed(capsys, "edgecompile", "build", "-t", "nucleo-") == [n for n in names() if n.startswith("nucleo-")]
    assert completed(capsys, "edgecompile", "build", "--recipe", "sma") == ["small"]
    assert "EC823" in completed(capsys, "edgecompile", "explain", "ec82")
