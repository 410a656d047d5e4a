"""Write the files that a new project starts from: a commented project file, or a whole example."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from edgecompile.config.project import PROJECT_FILE
from edgecompile.core.errors import bad_input, did_you_mean

_SUFFIX = ".template"
_STARTER = "starter"
# The script of each example that makes its model and data.
_SCRIPTS: Mapping[str, str] = {"android": "train.py", "digits": "train.py"}
# Files that an example takes from another one.
_SHARED: Mapping[str, tuple[str, tuple[str, ...]]] = {"android": ("digits", ("train.py", "labels.txt"))}
_MAIN = "app/src/main"
# Where files go that are not at the top; template folders are flat.
_PLACES: Mapping[str, str] = {
    "gitignore": ".gitignore",
    "app.gradle": "app/build.gradle",
    "AndroidManifest.xml": f"{_MAIN}/AndroidManifest.xml",
    "MainActivity.java": f"{_MAIN}/java/org/example/digits/MainActivity.java",
    "GridView.java": f"{_MAIN}/java/org/example/digits/GridView.java",
}


@dataclass(frozen=True, kw_only=True)
class Written:
    """``files`` that were written. ``script``: what to run next with Python in ``folder``, or None."""

    folder: Path
    files: tuple[Path, ...]
    script: str | None = None


def examples() -> tuple[str, ...]:
    """The names that :func:`write_example` takes."""
    return tuple(sorted(_SCRIPTS))


def write_example(name: str, folder: Path, force: bool = False) -> Written:
    """Write an example's files into ``folder`` (made when absent); its ``script`` then makes model and data.

    Raises BadInputError: EC134 when a file is there already and ``force`` is off (nothing is
    written then), EC135 for an unknown example, EC136 when the folder cannot be written.
    """
    if name not in _SCRIPTS:
        raise bad_input(
            "EC135",
            f"there is no example `{name}`",
            notes=(f"the examples are {', '.join(f'`{known}`' for known in examples())}",),
            help=did_you_mean(name, examples()),
        )
    return Written(folder=folder, files=_write(_contents(name), folder, force), script=_SCRIPTS[name])


def write_starter(folder: Path, model: Path | None = None, force: bool = False) -> Written:
    """Write a commented project file into ``folder``, for ``model`` where one is named.

    Raises BadInputError EC134 and EC136 as :func:`write_example`.
    """
    named = os.path.relpath(model.absolute(), folder.absolute()) if model else "model.keras"
    contents = _contents(_STARTER)
    contents[PROJECT_FILE] = contents[PROJECT_FILE].replace("{model}", json.dumps(named, ensure_ascii=False))
    return Written(folder=folder, files=_write(contents, folder, force))


def _contents(name: str) -> dict[str, str]:
    place = resources.files("edgecompile.templates") / name
    found = sorted((entry.name, entry.read_text(encoding="utf-8")) for entry in place.iterdir())
    contents = {name.removesuffix(_SUFFIX): text for name, text in found if name.endswith(_SUFFIX)}
    other, shared = _SHARED.get(name, ("", ()))
    contents |= {
        file: (resources.files("edgecompile.templates") / other / f"{file}{_SUFFIX}").read_text("utf-8")
        for file in shared
    }
    return {_PLACES.get(file, file): text for file, text in sorted(contents.items())}


def _write(contents: Mapping[str, str], folder: Path, force: bool) -> tuple[Path, ...]:
    paths = [folder / name for name in contents]
    there = [name for name, path in zip(contents, paths, strict=True) if path.exists() or path.is_symlink()]
    if there and not force:
        raise bad_input(
            "EC134",
            f"`{there[0]}` is there already",
            str(folder / there[0]),
            notes=(f"would be overwritten: {', '.join(there)}", "nothing was written"),
            help=("choose another folder, or overwrite with `--force`",),
        )
    try:
        for path, text in zip(paths, contents.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise bad_input(
            "EC136",
            f"`{folder}` cannot be written: {reason}",
            str(folder),
            help=("choose another folder, or change its permissions",),
        ) from None
    return tuple(paths)
