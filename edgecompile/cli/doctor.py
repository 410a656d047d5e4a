"""`edgecompile doctor`: what is installed here, what it is for, and how to get what is not."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
import textwrap
from dataclasses import asdict, dataclass

import click

from edgecompile import __version__
from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options


@dataclass(frozen=True, kw_only=True)
class Found:
    """A library or program: ``found`` is its version or path, None where it is missing; ``install`` gets it."""

    name: str
    purpose: str
    install: str
    found: str | None


_WIDTH = 80
# Distribution, what it is for.
_LIBRARIES = (
    ("click", "the command line"),
    ("rich", "progress on a terminal"),
    ("numpy", "everything"),
    ("ai-edge-litert", "read and write .tflite; interpreter"),
    ("tflite-runtime", "interpreter, preferred where it exists"),
    ("tflite-micro", "judge of Cortex-M builds"),
    ("tensorflow", "load and convert Keras models"),
    ("tf-keras", "load Keras 2 models, compress"),
    ("keras", "load Keras 3 models"),
    ("tensorflow-model-optimization", "compression passes"),
    ("scikit-learn", "the digits example"),
    ("pillow", "folders of images as data"),
    ("matplotlib", "pictures of report.html and inspect --plot"),
)
# Program, what it is for, the command that installs it on Debian.
_PROGRAMS = (
    ("gcc", "compile generated C for this machine", "apt-get install gcc"),
    ("arm-none-eabi-gcc", "compile for Cortex-M", "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"),
    ("qemu-system-arm", "run Cortex-M builds on an emulated board", "apt-get install qemu-system-arm"),
    ("make", "build firmware", "apt-get install make"),
    ("openocd", "flash boards", "apt-get install openocd"),
    ("pyocd", "flash boards", "pip install 'edgecompile[pyocd]'"),
    ("st-flash", "flash STM32 boards", "apt-get install stlink-tools"),
    ("dfu-util", "flash over USB, by the chip's boot loader", "apt-get install dfu-util"),
    (
        "edgetpu_compiler",
        "compile for the Edge TPU",
        "apt-get install edgetpu-compiler (after adding Google's Coral repository, see coral.ai/docs/edgetpu/compiler)",
    ),
    ("vela", "compile for Ethos-U", "pip install ethos-u-vela"),
    ("adb", "run on an attached Android device", "apt-get install adb"),
    ("qemu-aarch64-static", "run models on an emulated ARM64 processor", "apt-get install qemu-user-static"),
    ("mmdebstrap", "set up the ARM64 runtime", "apt-get install mmdebstrap"),
)
# What runs a .tflite, by whom the answer is for.
_JUDGES = ("tflite", "tflite-micro")


@click.command("doctor", short_help="Show what is installed and what is missing.")
@click.option(
    "--install", type=click.Choice(["arm64"]), help="Set up what `run --on arm64` needs, in the cache folder."
)
@shared_options
@click.pass_obj
def command(console: Console, install: str | None, as_json: bool) -> None:
    """Show versions, interpreters and programs found here, and how to install what is missing."""
    if install is not None:
        _install(console, as_json)
        return
    from edgecompile.libs.litert import choose, how_to_install
    from edgecompile.report.json import dump_object

    machine = {
        "edgecompile": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "machine": platform.machine(),
    }
    interpreters = {judge: str(choose(judge)) if choose(judge).available else None for judge in _JUDGES}
    libraries, programs = _libraries(), _programs()
    if as_json:
        found = {"libraries": [asdict(f) for f in libraries], "programs": [asdict(f) for f in programs]}
        console.result(dump_object({"schema": 1, **machine, "interpreters": interpreters, **found}))
        return
    lines = [f"{name:<12} {value}" for name, value in machine.items()]
    lines += ["", "Interpreters"]
    lines += [
        f"  {judge:<13} {found or 'none; get: ' + how_to_install(judge)}" for judge, found in interpreters.items()
    ]
    lines += ["", "Libraries", *_table(libraries), "", "Programs", *_table(programs)]
    console.result("\n".join(lines))


def _install(console: Console, as_json: bool) -> None:
    """The ARM64 runtime, from packages. Raises EC191, EC771."""
    from edgecompile.cli.cache_place import cache_folder
    from edgecompile.libs.arm64_setup import RUNTIMES
    from edgecompile.libs.arm64_setup import install as set_up
    from edgecompile.report.json import dump_object

    console.begin("install", "arm64")
    folder = set_up(cache_folder(), console.say).root.parent
    console.end(", ".join(f"{name} {version}" for name, version in RUNTIMES.items()))
    console.result(dump_object({"schema": 1, "arm64": str(folder)}) if as_json else str(folder))


def _libraries() -> list[Found]:
    return [
        Found(name=name, purpose=purpose, install=f"pip install {name}", found=_version(name))
        for name, purpose in _LIBRARIES
    ]


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _programs() -> list[Found]:
    return [
        Found(name=name, purpose=purpose, install=install, found=shutil.which(name))
        for name, purpose, install in _PROGRAMS
    ]


def _table(found: list[Found]) -> list[str]:
    width = max(len(entry.name) for entry in found)
    lines = []
    for entry in found:
        lines.append(f"  {entry.name:<{width}}  {entry.found or 'missing'}")
        if entry.found is None:
            lines += _below(width, "for", entry.purpose)
            lines += _below(width, "get", entry.install)
    return lines


def _below(width: int, word: str, told: str) -> list[str]:
    first = f"  {'':<{width}}    {word}: "
    return textwrap.wrap(
        told,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
