"""`edgecompile tune`: find the recipe that meets the budgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options
from edgecompile.cli.request import projects_of, request_options, targets_of

if TYPE_CHECKING:
    from edgecompile.core.project import Project
    from edgecompile.core.target import Target

_USUAL_TRIALS = 40
_USUAL_EPOCHS = 8


@click.command("tune", short_help="Search for the recipe that meets the budgets.")
@request_options
@click.option("--data", metavar="SOURCE", help="Data to train and judge with: .npz, folder, .csv, module:function.")
@click.option("--output", "-o", metavar="DIR", help="Where to write what was found; the target gets a folder in it.")
@click.option("--seed", type=int, help="Seed of the search and of everything drawn at random.")
@click.option("--metric", metavar="NAME", help="top1, mse, auc, miou or module:function.")
@click.option(
    "--max-accuracy-drop",
    type=float,
    metavar="POINTS",
    help="How much worse than the float model's the score may be: percent points for top1, auc and miou.",
)
@click.option("--calibration-samples", type=click.IntRange(min=1), metavar="N", help="Samples that calibrate.")
@click.option(
    "--objective",
    "objectives",
    multiple=True,
    metavar="NAME",
    help="What to make small beside accuracy: flash, ram, time, energy, weights, macs; may be given again."
    "  [default: what there are budgets of, else flash]",
)
@click.option("--time", "time_limit", metavar="DURATION", help="How long to search, such as `2h` or `45 min`.")
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many recipes the study is to have built in the end, those of earlier runs among them."
    f"  [default: {_USUAL_TRIALS}, no bound with --time]",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=0, max=64),
    default=_USUAL_EPOCHS,
    show_default=True,
    metavar="N",
    help="The most epochs that a recipe trains; shipped recipes are tried as they are.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Trials at once.  [default: 1, or the cluster's]"
)
@click.option(
    "--threads",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="N",
    help="Threads of each worker; 0: as many as it likes.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Run trials on the Dask cluster of this scheduler.")
@click.option("--study", metavar="DIR", help="Folder of the search, to go on with it.  [default: build/tune/TARGET]")
@click.option("--emit", metavar="NAMES", help="Write more beside the target's files, as `build` does.")
@shared_options
@click.pass_obj
def command(
    console: Console,
    /,
    project: str | None,
    objectives: tuple[str, ...],
    time_limit: str | None,
    trials: int | None,
    epochs: int,
    workers: int | None,
    threads: int,
    scheduler: str | None,
    study: str | None,
    no_cache: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Search for the recipe with which MODEL meets the budgets on TARGET, and build it.

    Every recipe that is tried is built and judged as `build` does it, on samples held out from the training part; what
    is reported is measured on the test part. The same command goes on with a search that was interrupted, and several
    may work on one study. Paths of what was found go to stdout.
    """
    from edgecompile.cli.tune_run import Wish, tune

    wanted, target = _one(projects_of(flags, project))
    wish = Wish(
        objectives=objectives,
        seconds=_seconds(time_limit),
        trials=trials if trials is not None or time_limit else _USUAL_TRIALS,
        epochs=epochs,
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        study=Path(study).absolute() if study else wanted.base / "build" / "tune" / target.id,
        no_cache=no_cache,
    )
    return tune(console, wanted, target, wish, as_json=as_json)


def _one(projects: tuple[Project, ...]) -> tuple[Project, Target]:
    """The project and its only target. Raises EC854 for several of either."""
    from edgecompile.core.errors import bad_input

    targets = targets_of(projects[0])
    if len(projects) == 1 and len(targets) == 1:
        return projects[0], targets[0]
    what, names = ("models", [one.model for one in projects]) if len(projects) > 1 else ("targets", targets)
    raise bad_input(
        "EC854",
        f"`tune` takes one model and one target, and {len(names)} {what} are given",
        notes=("what pays on one device need not pay on another: each search has its own budgets",),
        help=("run it once for each; what they share is in the cache",),
    )


def _seconds(text: str | None) -> float | None:
    """Raises EC862 for what is no duration."""
    from edgecompile.core.errors import bad_input
    from edgecompile.core.units import parse_duration

    try:
        return parse_duration(text) if text else None
    except ValueError:
        raise bad_input(
            "EC862",
            f"`{text}` is no duration",
            "--time",
            help=("write hours, minutes and seconds with their units: `2h`, `1h 30m`, `45 min`, `90s`",),
        ) from None
