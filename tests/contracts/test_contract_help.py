"""Every command and every option says what it is for."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from edgecompile.cli.application import COMMANDS, edgecompile
from edgecompile.cli.main import main


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The command and all below it, each with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below is not None
                yield from commands(below, (*path, name))


ALL = list(commands(edgecompile))


@pytest.mark.parametrize("path, command", ALL, ids=[" ".join(path) or "edgecompile" for path, _ in ALL])
def test_a_command_and_its_options_are_described(path: tuple[str, ...], command: click.Command) -> None:
    assert command.help
    undescribed = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert undescribed == []


@pytest.mark.parametrize("path, command", ALL, ids=[" ".join(path) or "edgecompile" for path, _ in ALL])
def test_help_fits_80_columns_and_ends_well(
    path: tuple[str, ...], command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code = main([*path, "--help"])

    out, err = capsys.readouterr()
    assert exit_code == 0
    assert err == ""
    assert out.startswith("Usage: edgecompile")
    assert max(map(len, out.splitlines())) <= 80


def test_every_command_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])

    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in COMMANDS)
