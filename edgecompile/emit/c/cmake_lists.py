"""`CMakeLists.txt`: the C library for `add_subdirectory`."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.emit import front_end
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emission import Emission


def cmake_lists(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``CMakeLists.txt`` beside the C library, which must be there."""
    (folder / "CMakeLists.txt").write_text(_text(emission), encoding="ascii")
    return (describe(folder, "CMakeLists.txt", "cmake"),)


def _text(emission: Emission) -> str:
    name = identifier(emission.name)
    more = f" ${{CMAKE_CURRENT_LIST_DIR}}/{name}_features.c" if front_end.has(emission) else ""
    return _TEXT.format(name=name, more=more)


_TEXT = """\
# The model `{name}` as a CMake library. Written by edgecompile; do not edit.
#
#   add_subdirectory(path/to/this/folder {name})
#   target_link_libraries(application PRIVATE {name})
cmake_minimum_required(VERSION 3.13)
if(NOT CMAKE_PROJECT_NAME)
  project({name} C)
endif()

add_library({name} STATIC ${{CMAKE_CURRENT_LIST_DIR}}/{name}.c{more})
target_include_directories({name} PUBLIC ${{CMAKE_CURRENT_LIST_DIR}})
target_compile_features({name} PRIVATE c_std_99)
# Kernels are written for an optimizing compiler, in debug builds too.
target_compile_options({name} PRIVATE $<$<C_COMPILER_ID:GNU,Clang,ARMClang>:-O2>)
if(NOT WIN32)
  target_link_libraries({name} PUBLIC m)
endif()
"""
