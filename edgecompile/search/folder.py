"""What a search leaves behind: its front beside the study, and beside the artifact that was built from it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecompile.core.artifact import describe
from edgecompile.emit import output
from edgecompile.libs import figures
from edgecompile.report import html as report_html
from edgecompile.report import json as report_json
from edgecompile.report import pareto
from edgecompile.report import text as report_text
from edgecompile.search import recipes
from edgecompile.search.answer import Point, plain_recipe
from edgecompile.search.objectives import Limits

RECIPE, FRONT, PICTURE = "best.toml", "front.json", "pareto.png"


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written, for people to find."""

    paths: tuple[Path, ...]


def write_front(folder: Path, front: Mapping[str, Any], best: Point | None) -> Written:
    """``front.json``, ``pareto.png`` and, where there is a best, ``best.toml`` into a folder, each whole or not."""
    files = contents(front, best)
    for name, content in files.items():
        part = folder / f"{name}.part"
        part.write_bytes(content)
        os.replace(part, folder / name)
    if best is None:
        (folder / RECIPE).unlink(missing_ok=True)
    return Written(paths=tuple(folder / name for name in files))


def contents(front: Mapping[str, Any], best: Point | None) -> dict[str, bytes]:
    """The files by name."""
    files = {FRONT: (report_json.dump_object(front) + "\n").encode()}
    if figures.is_installed():
        files[PICTURE] = pareto.png(front)
    if best is not None:
        files[RECIPE] = recipes.to_toml(plain_recipe(best.trial), _about(front, best)).encode()
    return files


def publish(place: Path, front: Mapping[str, Any], best: Point, limits: Limits) -> Written:
    """Put the search into the reports of the build in ``place``, and its files beside them, all in one step."""
    report = report_json.from_plain(json.loads((place / "report.json").read_bytes()))
    bounded = {"flash_bytes": limits.flash_bytes, "ram_bytes": limits.ram_bytes}
    measures = tuple(
        dataclasses.replace(one, limit=bounded[one.name]) if bounded.get(one.name) is not None else one
        for one in report.measures
    )
    files = contents(front, best)
    with output.staged(place) as folder:
        shutil.copytree(place, folder, dirs_exist_ok=True, symlinks=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        extra = tuple(describe(folder, name, "search") for name in files)
        kept = tuple(one for one in report.artifacts if one.path not in files)
        details = {**report.details, pareto.DETAIL: dict(front)}
        whole = dataclasses.replace(report, measures=measures, details=details, artifacts=(*kept, *extra))
        (folder / "report.json").write_text(report_json.dumps(whole) + "\n", encoding="utf-8")
        (folder / "report.txt").write_text(report_text.render(whole), encoding="utf-8")
        (folder / "report.html").write_text(report_html.render(whole), encoding="utf-8")
        output.publish(folder, place)
    names = [*(one.path for one in whole.artifacts), *output.REPORTS]
    return Written(paths=tuple(place / name for name in names))


def _about(front: Mapping[str, Any], best: Point) -> str:
    score = pareto.value("accuracy", best.tested.to_dict())
    unit = best.tested.units["accuracy"]
    found = f"Found by `edgecompile tune` for {front['target']}, trial {best.trial.number}"
    return f"{found}: {score} {unit} on the test part."
