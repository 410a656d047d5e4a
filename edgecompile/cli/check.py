"""`edgecompile check`: would it run, would it fit? Trains nothing, writes nothing."""

from __future__ import annotations

from typing import Any

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options
from edgecompile.cli.request import projects_of, request_options, targets_of


@click.command("check", short_help="Say whether a model would run and fit.")
@request_options
@click.option(
    "--fail-on", multiple=True, metavar="NAME:N", help="Reject when a figure is larger than N; may be given again."
)
@click.option("--html", metavar="FILE", help="Write what was found as a page, too.")
@shared_options
@click.pass_obj
def command(
    console: Console,
    /,
    project: str | None,
    no_cache: bool,
    as_json: bool,
    fail_on: tuple[str, ...],
    html: str | None,
    **flags: Any,
) -> int:
    """Say whether MODEL would run on each TARGET and fit it; writes nothing.

    A .tflite file needs no TensorFlow, and no model needs data: whether it runs and fits does not depend on it.
    `--fail-on partitions:3` and `--fail-on operators_on_cpu:0` make a continuous integration fail on more than that.
    Several models share the device: the first has the first choice of its memory.
    """
    from edgecompile.bounds import foresee, hold, parse_bounds
    from edgecompile.cli.cache_place import keeping
    from edgecompile.cli.outcome import show
    from edgecompile.pipeline import Together, check

    bounds = parse_bounds(fail_on)
    together: Together = {}
    projects = projects_of(flags, project)
    for wanted in projects:
        foresee(bounds, targets_of(wanted), wanted.segments)
    with keeping(console, no_cache) as store:
        found = [
            (wanted.model, hold(report, bounds))
            for wanted in projects
            for report in check(wanted, targets_of(wanted), console, together, store)
        ]
    return show(console, [report for _, report in found], html, [model for model, _ in found])
