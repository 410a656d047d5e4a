"""`edgecompile init`: a project to start from, empty or with an example that builds as it is."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options

if TYPE_CHECKING:
    from edgecompile.config.template import Written

_TRAINING_TIMEOUT_S = 1800
# What the scripts of the examples import, and the distribution that brings it.
_NEEDED = (
    ("tensorflow", "edgecompile[keras]"),
    ("keras", "edgecompile[keras]"),
    ("sklearn", "scikit-learn"),
)


@click.command("init", short_help="Start a project, empty or from an example.")
@click.argument("directory", default=".")
@click.option("--example", metavar="NAME", help="Start from an example: digits or android.")
@click.option("--model", metavar="FILE", help="Model that the project file names.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.option("--no-train", is_flag=True, help="Write the example's files only; do not train its model.")
@shared_options
@click.pass_obj
def command(
    console: Console,
    directory: str,
    example: str | None,
    model: str | None,
    force: bool,
    no_train: bool,
    as_json: bool,
) -> None:
    """Write a project file into DIRECTORY (here, unless named).

    With --example the project is whole: its script trains a small model in seconds, and `edgecompile build` builds it.
    """
    from edgecompile.config.template import write_example, write_starter
    from edgecompile.report.json import dump_object

    folder = Path(directory)
    if example is None:
        written = write_starter(folder, Path(model) if model else None, force)
    else:
        written = write_example(example, folder, force)
        if written.script is not None and not no_train:
            _train(console, written, written.script)
    files = [str(path) for path in (*written.files, *(folder / name for name in _scripts(written.folder)))]
    console.result(dump_object({"files": files}) if as_json else "\n".join(files))
    step = "" if folder.absolute() == Path.cwd() else f"cd {quote(directory)} && "
    console.say(f"next: {step}edgecompile build")


def _scripts(folder: Path) -> tuple[Path, ...]:
    """The Gradle script of a project that goes into an app, as the folder's other files are named."""
    from edgecompile.config.project import PROJECT_FILE, read_project
    from edgecompile.emit.android.start import write_script

    script = write_script(read_project(folder / PROJECT_FILE))
    return (script.relative_to(folder.absolute()),) if script else ()


def _train(console: Console, written: Written, script: str) -> None:
    """Run the example's script with this Python. Raises EC190 without its libraries, EC109 when it fails."""
    from edgecompile.core.errors import bad_input
    from edgecompile.libs.libraries import missing_library
    from edgecompile.libs.programs import run

    for module, distribution in _NEEDED:
        if importlib.util.find_spec(module) is None:
            raise missing_library(module, "to train the example's model", distribution)
    if not console.live:
        console.say(f"training the example's model with {script}; this takes some seconds")
    console.begin("train", script)
    finished = run([sys.executable, script], _TRAINING_TIMEOUT_S, cwd=written.folder)
    if finished.returncode != 0:
        by_hand = f"cd {quote(str(written.folder))} && {quote(sys.executable)} {script}"
        said = [line for line in (finished.stderr or finished.stdout).splitlines() if line.strip()][-3:]
        ended = "took too long" if finished.timed_out else f"ended with exit code {finished.returncode}"
        raise bad_input(
            "EC109",
            f"`{script}` {ended}",
            location=str(written.folder / script),
            notes=said,
            help=(f"run it by hand to see all it says: {by_hand}",),
        )
    lines = finished.stdout.strip().splitlines()
    console.end(next((line for line in reversed(lines) if line.startswith("accuracy")), "done"))
