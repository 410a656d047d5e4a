"""The command group, and how every way a command can end becomes messages and an exit code.

| exit code | |
|---|---|
| 0 | built and verified, or the question answered |
| 1 | rejected: operators, budgets, verification or accuracy |
| 2 | usage, configuration, or an input that cannot be read |
| 3 | a needed program or library is missing |
| 70 | a fault of ours |
| 130 | interrupted |
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from edgecompile import __version__
from edgecompile.cli.console import Console
from edgecompile.cli.options import command_line_options
from edgecompile.cli.signals import INTERRUPTED, deaf, interruptible
from edgecompile.cli.streams import EXPECTED_FAULTS, IMPOSSIBLE_PATHS, fill_closed_descriptors, silence_broken_pipe
from edgecompile.cli.usage import from_click, unknown_command
from edgecompile.core.errors import EdgecompileError, bad_input, internal

# In the order of the help: the main job, then looking around, then the rest. Each is a module of this package.
COMMANDS = (
    "build",
    "check",
    "tune",
    "inspect",
    "diff",
    "run",
    "flash",
    "targets",
    "passes",
    "explain",
    "doctor",
    "cache",
    "schema",
    "init",
)
# Characters of a path that is too long which are shown.
_SHOWN_PATH = 60


class LazyGroup(click.Group):
    """Commands are modules of this package, imported when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the help."""
        return list(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names; EC101 for a word that names none."""
        return super().resolve_command(ctx, args) if args[0] in COMMANDS else unknown_command(args[0], COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The module's ``command``, or None for a name we do not have."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"edgecompile.cli.{cmd_name}").command
        return command


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", message="edgecompile %(version)s")
@command_line_options
@click.pass_context
def edgecompile(context: click.Context) -> None:
    """Compile a trained Keras model for a small device.

    edgecompile build MODEL -t TARGET compresses, compiles, verifies and writes; `edgecompile targets list` names
    the devices; `edgecompile init --example digits` makes a project to start from.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line to its exit code; nothing but the exit code comes back, whatever happens."""
    fill_closed_descriptors()
    words = list(sys.argv[1:] if arguments is None else arguments)
    console = Console.for_command_line(words, os.environ)
    try:
        with interruptible():
            return _end(words, console)
    finally:
        console.close()
        silence_broken_pipe()


def _end(words: list[str], console: Console) -> int:
    """The exit code of the command, or of the error that it raised, which is shown."""
    try:
        return _invoke(words, console)
    except EdgecompileError as error:
        return _failed(console, error)
    except click.ClickException as error:
        return _failed(console, from_click(error))
    except (KeyboardInterrupt, click.Abort):
        with deaf():
            console.interrupted()
        return INTERRUPTED
    except BrokenPipeError:
        return 0
    except OSError as error:
        return _failed(console, _from_system(error) or _bug(console, error))
    except Exception as error:
        return _failed(console, _bug(console, error))


def _invoke(words: list[str], console: Console) -> int:
    try:
        with edgecompile.make_context("edgecompile", words, obj=console) as context:
            return edgecompile.invoke(context) or 0
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.ctx.get_help() if shown.ctx else "")
        return 0
    except click.exceptions.Exit as end:
        return end.exit_code


def _failed(console: Console, error: EdgecompileError) -> int:
    with deaf():
        console.failed(error)
    return error.exit_code


def _from_system(error: OSError) -> EdgecompileError | None:
    """A fault of the machine rather than ours: a full disk, a folder that may not be written, an impossible path."""
    place = str(error.filename) if error.filename else None
    if error.errno in IMPOSSIBLE_PATHS:
        return _impossible(place or "", error)
    if error.errno not in EXPECTED_FAULTS:
        return None
    return bad_input(
        "EC107",
        f"the system refused: {(error.strerror or str(error)).lower()}",
        location=place,
        help=("make room or give permission there, or name another place with `--output`",),
    )


def _impossible(path: str, error: OSError) -> EdgecompileError:
    shown = path if len(path) <= _SHOWN_PATH else f"{path[:_SHOWN_PATH]}... ({len(path):,} characters)"
    return bad_input(
        "EC113",
        f"the system takes no such path: {(error.strerror or str(error)).lower()}",
        location=shown,
        help=("name another path; most systems take 255 bytes for a name and 4,096 for a whole path",),
    )


def _bug(console: Console, error: Exception) -> EdgecompileError:
    """What to say when we broke; the traceback is only for those who ask for it."""
    if console.debug:
        console.write("".join(traceback.format_exception(error)).rstrip())
    where = traceback.extract_tb(error.__traceback__)[-1:]
    notes = [f"{type(error).__name__}: {error}", *(f"raised at {_place(frame)}" for frame in where)]
    return internal(
        "EC900",
        "edgecompile broke; this is a fault of ours, not of your input",
        notes=notes,
        help=(
            "please report it with the command, the model if you may share it, and the output of `edgecompile doctor`",
            "the same command with `--debug` prints where it broke",
        ),
    )


def _place(frame: traceback.FrameSummary) -> str:
    parts = frame.filename.replace(os.sep, "/").split("/")
    return f"{'/'.join(parts[-3:])}:{frame.lineno}"
