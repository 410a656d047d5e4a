"""Find profile files, read each once, and lay what extends over what is extended."""

from __future__ import annotations

import functools
import importlib.resources
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecompile.config.profile_schema import check_plain
from edgecompile.config.toml import read_toml
from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean

MERGED = ("placement", "runtime", "compiler", "board", "measure", "statuses", "sources", "operators")
_CITED = ("placement", "runtime", "compiler", "board", "measure", "statuses")


@dataclass(frozen=True, kw_only=True)
class ProfileFile:
    """One file as it stands, with what is wrong in it."""

    path: Path
    plain: Mapping[str, Any]
    diagnostics: tuple[Diagnostic, ...]


@functools.cache
def shipped() -> Path:
    """The folder of profiles: the checkout's ``targets/``, else the one installed in the package."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "targets" / "families").is_dir() and (checkout / "setup.cfg").is_file():
        return checkout / "targets"
    return Path(str(importlib.resources.files("edgecompile") / "targets"))


def read(path: Path) -> ProfileFile:
    """The file, from memory when it has not changed since it was last read. Raises EC120 to EC122."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        # The reader words what is wrong with a path that cannot be read.
        return _parse(path, read_toml(path))
    return _read_once(path, stat.st_mtime_ns, stat.st_size)


def chain(path: Path) -> tuple[ProfileFile, ...]:
    """The file and all it extends, nearest first. Raises EC141 on a cycle, EC144 when one is not found."""
    files = [read(path)]
    while isinstance(name := files[-1].plain.get("extends"), str):
        parent = extended(name, files[-1].path)
        if any(parent.samefile(file.path) for file in files):
            raise _cycle(files, parent)
        files.append(read(parent))
    return tuple(files)


def overlay(files: tuple[ProfileFile, ...]) -> dict[str, Any]:
    """One table from a chain: tables are merged key by key, everything else is replaced."""
    merged: dict[str, Any] = {}
    for file in reversed(files):
        plain = dict(file.plain)
        plain["operators"] = _with_shared(plain)
        plain["sources"] = {**plain.get("sources", {}), **_cited(plain)}
        for name in MERGED:
            plain[name] = {**merged.get(name, {}), **plain.get(name, {})}
        merged.update(plain)
    return merged


def _with_shared(plain: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Operators with the file's ``[clauses]`` put into every clause that does not say otherwise."""
    shared = plain.get("clauses", {})
    operators = plain.get("operators", {})
    return {name: [{**shared, **clause} for clause in clauses] for name, clauses in operators.items()}


def _cited(plain: Mapping[str, Any]) -> dict[str, str]:
    tables = {name: plain.get(name, {}) for name in _CITED}
    cited = {name: table["source"] for name, table in tables.items() if "source" in table}
    return {**cited, **({"level": plain["source"]} if "source" in plain else {})}


@functools.lru_cache(maxsize=256)
def _read_once(path: Path, mtime_ns: int, size: int) -> ProfileFile:
    return _parse(path, read_toml(path))


def _parse(path: Path, plain: dict[str, Any]) -> ProfileFile:
    return ProfileFile(path=path, plain=plain, diagnostics=check_plain(plain, str(path)))


def extended(name: str, child: Path) -> Path:
    """The file that ``extends = name`` in ``child`` means. Raises EC144 when there is none.

    A profile beside the child comes before a shipped one; a file never extends itself by its own name.
    """
    candidates = (child.parent / f"{name}.toml", shipped() / f"{name}.toml")
    for candidate in candidates:
        if os.path.isfile(candidate) and not _is_same(candidate, child):
            return candidate
    known = [path.stem for path in shipped().glob("*.toml")]
    known += [f"families/{path.stem}" for path in (shipped() / "families").glob("*.toml")]
    raise bad_input(
        "EC144",
        f"`{child.name}` extends `{name}`, and there is no such profile",
        Location(file=str(child), detail="`extends`"),
        notes=(f"looked for {candidates[0]} and {candidates[1]}",),
        help=did_you_mean(name, known) or ("`edgecompile targets list` lists the profiles",),
    )


def _is_same(one: Path, other: Path) -> bool:
    return os.path.exists(other) and one.samefile(other)


def _cycle(files: list[ProfileFile], parent: Path) -> EdgecompileError:
    names = [file.path.stem for file in files]
    return bad_input(
        "EC141",
        f"`{names[0]}` extends itself",
        Location(file=str(files[-1].path), detail="`extends`"),
        notes=(" extends ".join(f"`{name}`" for name in (*names, parent.stem)),),
        help=("let one of these profiles extend a family, or nothing",),
    )
