"""Run the compiler that a target's profile names on the model that was emitted."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import bad_input, did_you_mean
from edgecompile.core.registry import modules_of
from edgecompile.core.report import Measure
from edgecompile.core.target import Target


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What was predicted of one operator: whether the accelerator runs it, and the compiler's own words, if known."""

    name: str
    accelerated: bool
    status: str = ""


@dataclass(frozen=True, kw_only=True)
class Request:
    """``content`` is the flatbuffer, ``name`` its file name without suffix; ``beside`` are names and contents of models
    that share the device, in the order of their priority, all before this one.

    ``command``: the user's words in front of the arguments, None for the program on the search path. ``measures`` are
    the figures predicted so far, by name.
    """

    name: str
    content: bytes
    target: Target
    beside: tuple[tuple[str, bytes], ...] = ()
    predicted: tuple[Predicted, ...] = ()
    measures: Mapping[str, float | int | None] = field(default_factory=dict)
    command: str | None = None
    timeout_s: int = 300

    @property
    def options(self) -> Mapping[str, Any]:
        """The profile's options for the compiler."""
        return self.target.compiler.options if self.target.compiler is not None else {}


@dataclass(frozen=True, kw_only=True)
class File:
    """A file to write beside the model."""

    path: str
    kind: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """What came of it. ``version`` names the compiler, empty where it did not run; ``summary`` is one line.

    ``measures`` take the place of predicted ones of the same name. A failure is a warning among ``diagnostics``: the
    model that was to be compiled is there all the same.
    """

    summary: str
    version: str = ""
    files: tuple[File, ...] = ()
    measures: tuple[Measure, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


def compile_model(request: Request) -> Compiled:
    """Run the compiler that ``request.target.compiler`` names.

    Raises BadInputError EC579 where the profile names one that is not known, EC580 for a command that cannot be read,
    MissingError EC191 for a command of the user's whose program is not there.
    """
    assert request.target.compiler is not None
    name, known = request.target.compiler.name, compilers()
    if name not in known:
        raise bad_input(
            "EC579",
            f"there is no compiler `{name}`",
            f"profile `{request.target.id}`",
            notes=(f"compilers: {', '.join(known)}",),
            help=did_you_mean(name, known) or ("correct `name` under [compiler], or take the table out",),
        )
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as folder:
        compiled: Compiled = known[name].compile(request, Path(folder))
    return compiled


def compilers() -> dict[str, ModuleType]:
    """All compilers by name."""
    return {module.NAME: module for module in modules_of("edgecompile.toolchain.compilers")}
