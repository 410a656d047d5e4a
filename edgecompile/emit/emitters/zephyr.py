"""Zephyr: what makes the folder a module that an application takes in (`ZEPHYR_EXTRA_MODULES`).

Zephyr documentation, "Modules (External projects)": `zephyr/module.yml`, with a CMake and a Kconfig file.
"""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.emit import front_end
from edgecompile.emit.c.refusals import unwritten
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emission import Emission

NAME = "zephyr"


def review(emission: Emission) -> tuple[Diagnostic, ...]:
    """EC640 where there is no C library to take in."""
    return unwritten(emission, NAME)


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``zephyr/``, beside the C library; nothing for a network that some operator keeps from being C."""
    if emission.program is None or emission.layout is None:
        return ()
    (folder / "zephyr").mkdir(exist_ok=True)
    name = identifier(emission.name)
    written = []
    for path, text in _FILES.items():
        more = f" ${{CMAKE_CURRENT_LIST_DIR}}/../{name}_features.c" if front_end.has(emission) else ""
        filled = text.replace("@NAME@", name).replace("@UPPER@", name.upper()).replace("@TAB@", "\t")
        filled = filled.replace("@MORE@", more)
        (folder / "zephyr" / path).write_text(filled, encoding="ascii")
        written.append(describe(folder, f"zephyr/{path}", "zephyr"))
    return tuple(written)


_FILES = {
    "module.yml": """\
# The model `@NAME@` as a Zephyr module. Written by edgecompile; do not edit.
#   west build -b BOARD application -- -DZEPHYR_EXTRA_MODULES=/path/to/the/folder/above/zephyr -DCONFIG_@UPPER@_MODEL=y
name: @NAME@_model
build:
  cmake: zephyr
  kconfig: zephyr/Kconfig
""",
    "CMakeLists.txt": """\
# Written by edgecompile; do not edit.
if(CONFIG_@UPPER@_MODEL)
  zephyr_library_named(@NAME@_model)
  zephyr_library_sources(${CMAKE_CURRENT_LIST_DIR}/../@NAME@.c@MORE@)
  zephyr_library_compile_options(-O2)
  zephyr_include_directories(${CMAKE_CURRENT_LIST_DIR}/..)
endif()
""",
    "Kconfig": """\
# Written by edgecompile; do not edit.
config @UPPER@_MODEL
@TAB@bool "The model @NAME@, compiled to C"
@TAB@help
@TAB@  Adds @NAME@.h, @NAME@.c and the kernels that they use.
""",
}
