"""For native code: a C++ class over the C API of LiteRT and a CMake script; where the model is C, a CMake library."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.emit.android.fill import fill, template
from edgecompile.emit.android.review import review as review_wrapper
from edgecompile.emit.android.scripts import cmake_values
from edgecompile.emit.android.wrapper import values_of
from edgecompile.emit.c.cmake_lists import cmake_lists
from edgecompile.emit.c.refusals import lacks_library, unwritten
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emission import Emission

__all__ = ["NAME", "emit", "review"]
NAME = "cmake"


def review(emission: Emission) -> tuple[Diagnostic, ...]:
    """What the wrapper has to say; EC640 where the model was to be C and is not. Raises what the wrapper's raises."""
    if emission.program is not None or lacks_library(emission):
        return unwritten(emission, NAME)
    return review_wrapper(emission)


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``include/MODEL.hpp``, and ``edgecompile.cmake`` where the build can be told. Raises EC620, EC690, EC695.

    Where the model is C there is no interpreter to wrap: ``CMakeLists.txt`` makes a library of it. Nothing where it was
    to be C and some operator has no kernel.
    """
    if emission.program is not None:
        return cmake_lists(emission, folder)
    if lacks_library(emission):
        return ()
    header = f"include/{identifier(emission.name)}.hpp"
    (folder / "include").mkdir(exist_ok=True)
    (folder / header).write_text(fill(template("wrapper.hpp"), values_of(emission)), encoding="ascii")
    written = [describe(folder, header, "cpp_header")]
    if emission.rebuild is not None:
        values = cmake_values(emission.name, emission.target.id, emission.rebuild)
        (folder / "edgecompile.cmake").write_text(fill(template("edgecompile.cmake"), values), encoding="utf-8")
        written.append(describe(folder, "edgecompile.cmake", "cmake_script"))
    return tuple(written)
