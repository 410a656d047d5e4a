"""`edgecompile build`: compress, compile, verify, write."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options
from edgecompile.cli.request import projects_of, request_options, targets_of
from edgecompile.core.project import Project
from edgecompile.core.recipe import CALIBRATIONS
from edgecompile.core.report import Report


@click.command("build", short_help="Compress, compile, verify and write a model.")
@request_options
@click.option(
    "--data", metavar="SOURCE", help="Data for calibration and verification: .npz, folder, .csv, module:function."
)
@click.option("--output", "-o", metavar="DIR", help="Where to write; each target gets a folder in it.")
@click.option("--seed", type=int, help="Seed of everything drawn at random.")
@click.option("--calibration", type=click.Choice(CALIBRATIONS), help="How ranges of activations are found.")
@click.option("--calibration-samples", type=click.IntRange(min=1), metavar="N", help="Samples that calibrate.")
@click.option(
    "--random-calibration", is_flag=True, default=None, help="Calibrate on noise; accuracy will be worthless."
)
@click.option("--metric", metavar="NAME", help="top1, mse, auc, miou or module:function.")
@click.option(
    "--max-accuracy-drop",
    type=float,
    metavar="POINTS",
    help="Reject a build whose score is worse than the float model's by more: percent points for top1, auc and miou"
    " (1.0 is 0.01 of the share), the metric's own unit otherwise.",
)
@click.option("--require-verified", is_flag=True, help="Exit 3 where the artifact cannot be verified here.")
@click.option("--verify-samples", type=click.IntRange(min=1), metavar="N", help="Held-out samples to verify on.")
@click.option(
    "--emit",
    metavar="NAMES",
    help="Write more beside the target's files: gradle, java, kotlin, cmake, arduino, zephyr; with commas.",
)
@click.option("--verify-reproducible", is_flag=True, help="Build twice, once without cache, and compare every byte.")
@click.option("--depfile", metavar="FILE", help="Write what the outputs depend on, for make and ninja.")
@click.option("--html", metavar="FILE", help="Write the report as a page here too, of a rejected model as well.")
@shared_options
@click.pass_obj
def command(
    console: Console,
    /,
    project: str | None,
    require_verified: bool,
    verify_samples: int | None,
    depfile: str | None,
    html: str | None,
    no_cache: bool,
    verify_reproducible: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Compile MODEL for each TARGET: compress, convert, check, verify, write.

    MODEL is a .keras, .h5 or .tflite file, a SavedModel folder, or module:function; it may be left out where the
    project file names it. Paths of what was written go to stdout. Several models share the device: the first has the
    first choice of its memory, and each is written to a folder of its own name.
    """
    from edgecompile.cli.cache_place import cache_folder, keeping
    from edgecompile.cli.files import demand_place
    from edgecompile.cli.outcome import show
    from edgecompile.emit.depfile import Depfile
    from edgecompile.pipeline import Together, build

    demand_place(html, depfile)
    written = Depfile(Path(depfile)) if depfile else None
    together: Together = {}
    reports: list[Report] = []
    models: list[str] = []
    with keeping(console, no_cache) as store, tempfile.TemporaryDirectory(prefix="edgecompile-") as spare:
        for wanted in projects_of(flags, project):
            beside = _built_before(wanted, Path(spare), console, verify_samples) if verify_reproducible else None
            built = build(
                wanted,
                targets_of(wanted),
                console,
                require_verified=require_verified,
                depfile=written,
                verify_samples=verify_samples,
                together=together,
                cache=cache_folder(),
                store=store,
                beside=beside,
            )
            reports += built
            models += [wanted.model] * len(built)
            for path in () if as_json else _paths(wanted.output, built):
                console.result(str(path))
    return show(console, reports, html, models)


def _built_before(project: Project, spare: Path, console: Console, verify_samples: int | None) -> Path:
    """The folder of another build of the project, without cache; its models do not share a device with others."""
    from edgecompile.pipeline import build

    output = spare / project.output.name / "again"
    console.say("First a build without cache, to compare the second with")
    build(replace(project, output=output), targets_of(project), console, verify_samples=verify_samples)
    console.say("Now the build itself")
    return output


def _paths(output: Path, reports: Sequence[Report]) -> list[Path]:
    return [output / report.target / artifact.path for report in reports for artifact in report.artifacts]
