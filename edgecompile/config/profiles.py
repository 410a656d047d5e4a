"""Device profiles: list them, load one as a :class:`Target`, check one, start a new one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgecompile.config import profile_files
from edgecompile.config.profile_files import ProfileFile
from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import BadInputError, EdgecompileError, bad_input, did_you_mean
from edgecompile.core.target import DSP, Clause, Compiler, Placement, Region, Runtime, Statuses, Target
from edgecompile.core.units import parse_size

NEEDED = ("name", "description", "numerics", "io_dtype", "emit", "judge", "placement", "operators")
_DIGITS = "0123456789"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
WORDED = ("mapped", "cut_off", "absent", "otherwise")
_NOT_RULES = ("source", "basis")


def names() -> tuple[str, ...]:
    """The ids of all shipped profiles, sorted; reads no file."""
    return tuple(sorted(path.stem for path in profile_files.shipped().glob("*.toml")))


def load(target_id: str, extra: Path | None = None) -> Target:
    """The profile of that id, or of that path when it ends in ``.toml``.

    ``extra`` is a folder whose profiles come before the shipped ones. Raises BadInputError:
    EC140 for an unknown id, and whatever :func:`check` finds.
    """
    return _target(_find(target_id, extra))


def check(path: Path) -> tuple[Diagnostic, ...]:
    """Everything wrong with a profile and with what it extends; nothing when it can be used."""
    try:
        files = profile_files.chain(path)
    except EdgecompileError as error:
        return (*_own_diagnostics(path), *error.diagnostics)
    found = tuple(diagnostic for file in files for diagnostic in file.diagnostics)
    plain = {} if found else profile_files.overlay(files)
    return found or _absent(plain, path) or _unknown_level(plain, path)


def new(id: str, extends: str, path: Path) -> None:
    """Write a starter profile to ``path``; nothing that exists is overwritten.

    Raises BadInputError: EC148 for an id that is not one, EC144 when there is no profile to
    extend, EC146 when the file exists or cannot be written.
    """
    if not _ID.fullmatch(id):
        raise bad_input(
            "EC148",
            f"`{id}` cannot be the id of a profile",
            notes=("an id is made of lower-case letters, digits, `.`, `_` and `-`, a letter or digit first",),
            help=(f"try `{re.sub('[^a-z0-9._-]+', '-', id.lower()).strip('-._') or 'my-board'}`",),
        )
    base = profile_files.extended(extends, path)
    profile_files.chain(base)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(_STARTER.format(id=id, extends=extends))
    except OSError as error:
        reason = "it exists" if isinstance(error, FileExistsError) else (error.strerror or str(error)).lower()
        raise bad_input(
            "EC146", f"`{path}` cannot be written: {reason}", str(path), help=("name another file",)
        ) from None


def _find(target_id: str, extra: Path | None) -> Path:
    if target_id.endswith(".toml"):
        return Path(target_id)
    folders: tuple[Path, ...] = (*((extra,) if extra else ()), profile_files.shipped())
    known = {path.stem: path for folder in reversed(folders) for path in folder.glob("*.toml")}
    if _ID.fullmatch(target_id) and target_id in known:
        return known[target_id]
    raise bad_input(
        "EC140",
        f"there is no target `{target_id}`",
        notes=(f"{len(known)} profiles are known",),
        help=(
            *(_other_numbers(target_id.lower(), known) or did_you_mean(target_id.lower(), sorted(known))),
            "`edgecompile targets list` lists them; a profile of your own is named by its path, `my-board.toml`",
        ),
    )


def _other_numbers(target_id: str, known: Mapping[str, Path]) -> tuple[str, ...]:
    """Another number at the end is no misspelling: it asks for something that there is not. Which numbers there are."""
    stem = target_id.rstrip(_DIGITS)
    if stem == target_id:
        return ()
    numbered = sorted(name for name in known if name != stem and name.rstrip(_DIGITS) == stem)
    levels = {name: _level(known[name]) for name in numbered}
    newest = max(numbered, key=lambda name: levels[name], default="")
    beyond = newest and 0 < levels[newest] < int(target_id[len(stem) :][:9])
    return (
        *((f"`{newest}` is of the newest level known, {levels[newest]}, and serves newer ones too",) if beyond else ()),
        *((f"there are: {', '.join(numbered)}",) if numbered else ()),
    )


def _level(path: Path) -> int:
    """The level a profile states, 0 where it has none or cannot be read."""
    try:
        level = profile_files.overlay(profile_files.chain(path)).get("level")
    except (EdgecompileError, TypeError, AttributeError):
        return 0  # what is wrong with it is told where it is asked for
    return level if isinstance(level, int) else 0


def _target(path: Path) -> Target:
    files = profile_files.chain(path)
    wrong = tuple(diagnostic for file in files for diagnostic in file.diagnostics)
    plain = {} if wrong else profile_files.overlay(files)
    wrong = wrong or _absent(plain, path) or _unknown_level(plain, path)
    if wrong:
        raise BadInputError(*wrong)
    return _build(path.stem, plain, files)


def _build(target_id: str, plain: Mapping[str, Any], files: tuple[ProfileFile, ...]) -> Target:
    placement, runtime, sources = plain["placement"], plain["runtime"], plain["sources"]
    return Target(
        id=target_id,
        name=plain["name"],
        family=plain.get("family", files[-1].path.stem),
        description=plain["description"],
        numerics=tuple(plain["numerics"]),
        io_dtype=plain["io_dtype"],
        operators=_operators(plain, sources),
        placement=_placement(placement),
        emit=tuple(plain["emit"]),
        judge=plain["judge"],
        per_tensor_dense=plain.get("per_tensor_dense", False),
        level=plain.get("level"),
        regions=tuple(_region(region, sources) for region in plain.get("memory", ())),
        runtime=_runtime(runtime, sources) if runtime else None,
        rewrites=tuple(plain.get("rewrites", ())),
        also_check=tuple(plain.get("also_check", ())),
        model_metadata=plain.get("model_metadata", False),
        weight_forms=tuple(plain.get("weight_forms", ("dense",))),
        kernels=plain.get("kernels", DSP),
        recipe=plain.get("recipe"),
        trained_recipe=plain.get("trained_recipe"),
        compiler=_compiler(plain["compiler"]) if plain["compiler"] else None,
        statuses=Statuses(**plain["statuses"]) if plain["statuses"] else None,
        measure=plain["measure"],
        board=plain["board"],
        sources=sources,
    )


def _placement(placement: Mapping[str, Any]) -> Placement:
    named = {key: value for key, value in placement.items() if key not in ("source", "proof_without")}
    return Placement(**named, proof_without=tuple(placement.get("proof_without", ())))


def _operators(plain: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, tuple[Clause, ...]]:
    return {name: tuple(_clause(clause, sources) for clause in clauses) for name, clauses in plain["operators"].items()}


def _clause(clause: Mapping[str, Any], sources: Mapping[str, str]) -> Clause:
    rules = {name: limit for name, limit in clause.items() if name not in _NOT_RULES}
    return Clause(rules=rules, source=_citation(clause["source"], sources), basis=clause.get("basis", "documented"))


def _citation(source: str, sources: Mapping[str, str]) -> str:
    """``nnapi: lines 1-9`` in full: what ``[sources] nnapi`` says, and the place in it."""
    key, colon, rest = source.partition(":")
    if key not in sources:
        return source
    return f"{sources[key]}, {rest.strip()}" if colon and rest.strip() else sources[key]


def _region(region: Mapping[str, Any], sources: Mapping[str, str]) -> Region:
    return Region(
        name=region["name"],
        kind=region["kind"],
        size_bytes=parse_size(region["size"]),
        start=region.get("start"),
        source=_citation(region["source"], sources),
    )


def _runtime(runtime: Mapping[str, Any], sources: Mapping[str, str]) -> Runtime:
    return Runtime(
        name=runtime["name"],
        flash_bytes=parse_size(runtime.get("flash_bytes", 0)),
        ram_bytes=parse_size(runtime.get("ram_bytes", 0)),
        ram_bytes_per_operator=parse_size(runtime.get("ram_bytes_per_operator", 0)),
        ram_bytes_per_channel=parse_size(runtime.get("ram_bytes_per_channel", 0)),
        obeys_plan=runtime.get("obeys_plan", False),
        source=_citation(runtime.get("source", ""), sources),
    )


def _compiler(compiler: Mapping[str, Any]) -> Compiler:
    return Compiler(
        name=compiler["name"],
        options=compiler.get("options", {}),
        timeout_s=compiler.get("timeout_s", Compiler.timeout_s),
        source=compiler.get("source", ""),
    )


def _absent(plain: Mapping[str, Any], path: Path) -> tuple[Diagnostic, ...]:
    """EC145 for what neither the profile nor anything it extends says."""
    absent = [name for name in NEEDED if not plain.get(name)]
    absent += [] if plain["placement"].get("accelerator") or "placement" in absent else ["placement.accelerator"]
    absent += [f"statuses.{name}" for name in WORDED if plain["statuses"] and not plain["statuses"].get(name)]
    absent += ["compiler.name"] if plain["compiler"] and not plain["compiler"].get("name") else []
    absent += ["runtime.name"] if plain["runtime"] and not plain["runtime"].get("name") else []
    if not absent:
        return ()
    return (
        Diagnostic(
            code="EC145",
            message=f"profile `{path.stem}` is not complete",
            location=Location(file=str(path)),
            notes=(f"neither it nor what it extends says {', '.join(f'`{name}`' for name in absent)}",),
            help=('extend a family or a core, for example `extends = "cortex-m4"`, which say all of it',),
        ),
    )


def _unknown_level(plain: Mapping[str, Any], path: Path) -> tuple[Diagnostic, ...]:
    """EC593 for a level below all that the rules name; higher ones take what lower ones do."""
    level = plain.get("level")
    levels = {clause.get("min_level", 0) for clauses in plain["operators"].values() for clause in clauses}
    if level is None or not levels or level >= min(levels):
        return ()
    return (
        Diagnostic(
            code="EC593",
            message=f"level {level} is not one that `{path.stem}` has rules for",
            location=Location(file=str(path), detail="`level`"),
            notes=(f"limit: {min(levels)}, the lowest that takes an operator", f"found: {level}"),
            help=(f"rules change at these levels: {', '.join(map(str, sorted(levels)))}",),
        ),
    )


def _own_diagnostics(path: Path) -> tuple[Diagnostic, ...]:
    try:
        return profile_files.read(path).diagnostics
    except EdgecompileError:
        return ()


_STARTER = """\
# Profile of one device: what is true of it, each number with the document it is from.
# Check it with `edgecompile targets check {id}.toml`, use it with `--target {id}.toml`.
schema = 1
extends = "{extends}"
name = "{id}"
description = "one sentence on what this device is"

# One table for each memory. `size` is a size ("256 KiB") or bytes; `start` is its first address.
# [[memory]]
# name = "flash"
# kind = "flash"                 # or "ram"
# size = "256 KiB"
# start = 0x08000000
# source = "document, revision, table"

# [board]
# core = "cortex-m4"
# clock_hz = 80_000_000
# pyocd = "name that `pyocd list --targets` prints"
# openocd = "board/name.cfg"
# source = "document, revision, section"
# [board.flash]                  # at `clock_hz`; for predicted latency
# wait_states = 4
# line_bytes = 8                 # of one read
# data_cache_bytes = 0
# source = "document, revision, section"
# [board.energy]                 # for predicted energy
# active_mw = 47.2               # what the board takes while the model runs
# error = 0.18                   # mean relative error of predictions, where it is known
# source = "whose measurements, how many"
"""
