"""From a build's folder to a board: choose the runner, build the image, run the tool, say what went wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean, rejected
from edgecompile.core.registry import modules_of
from edgecompile.core.target import Target
from edgecompile.emit.firmware.project import map_of
from edgecompile.flash.task import Commands, Task
from edgecompile.libs import programs
from edgecompile.measure.board import image

TEST, APPLICATION = "self_test", "app"
EMULATED = "qemu"
_TELLING = re.compile("error|fail|couldn't|cannot|mismatch|unexpected|no ", re.IGNORECASE)
_RESULT = re.compile(r"edgecompile self-test: (\d+) of (\d+) equal, (passed|FAILED)")
# A probe may take its time to erase and write some megabytes.
_WRITE_S = 300.0
_LIST_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be run, in order; ``build`` makes the image."""

    runner: str
    build: tuple[str, ...]
    commands: Commands
    task: Task
    firmware: Path


def runners() -> dict[str, ModuleType]:
    """Runners by name."""
    return {module.NAME: module for module in modules_of("edgecompile.flash.runners")}


def plan(
    folder: Path, target: Target, *, runner: str | None, probe: str | None, verify: bool, run: bool, timeout_s: float
) -> Plan:
    """Choose the runner and its commands; runs nothing.

    Raises BadInputError EC665 without a firmware project, EC673 for a runner that there is not, EC674 for one that
    does not know the board or cannot do what is asked, EC677 where there is no self-test to run.
    """
    chosen = _chosen(target, runner)
    emulated = chosen.NAME == EMULATED
    _check(chosen, target, verify, run)
    firmware, memory = folder / "firmware", map_of(target)
    if not (firmware / "Makefile").is_file() or memory is None or memory.flash.start is None:
        raise _no_firmware(firmware)
    name = TEST if run or emulated else APPLICATION
    if name == TEST and not (firmware / "golden.h").is_file():
        raise _no_test(folder)
    out = firmware / "build"
    task = Task(
        image=out / name,
        address=memory.flash.start,
        board=target.board,
        probe=probe,
        verify=verify,
        run=run or emulated,
        timeout_s=timeout_s,
    )
    goals = (f"build/{name}.elf", f"build/{name}.bin")
    build = ("make", "-s", "-C", str(firmware), "OUT=build", *goals)
    return Plan(runner=chosen.NAME, build=build, commands=chosen.commands(task), task=task, firmware=firmware)


def execute(planned: Plan, tell: Callable[[str], None]) -> str:
    """Build, then run the commands, each told first; gives the self-test's line, or "".

    Raises EC191 for a program that is missing, EC661, EC662 for the image, RejectedError EC670 (no probe), EC671 (the
    tool failed), EC672 (another chip), EC675 (what was read back differs), EC676 (no result), EC678 (the test failed).
    """
    module, task = runners()[planned.runner], planned.task
    if programs.find(module.PROGRAM) is None:
        raise programs.missing_program(module.PROGRAM, "to flash the board")
    tell(shown(planned.build))
    image.build(planned.firmware, planned.build[5:], Path("build"))
    if hasattr(module, "prepare"):
        module.prepare(task)
    said = ""
    for command in planned.commands:
        tell(shown(command))
        limit_s = _WRITE_S + (task.timeout_s if task.run else 0.0)
        done = programs.run(command, limit_s, purpose="to flash the board")
        said += done.stdout + done.stderr
        result = _RESULT.search(said)
        if (done.returncode != 0 or done.timed_out) and result is None:
            raise _failed(module, done, planned)
        if re.search(module.DIFFERS, done.stdout + done.stderr):
            raise _failed(module, done, planned)
    return _read_result(said, planned) if task.run else ""


def probes(name: str) -> tuple[str, ...] | None:
    """Probes that a runner finds, None where its program is missing or cannot list them."""
    module = runners()[name]
    if programs.find(module.PROGRAM) is None:
        return None
    if not module.LIST:
        return tuple(module.probes("")) if hasattr(module, "prepare") else None
    if programs.find(module.LIST[0]) is None:
        return None
    done = programs.run(module.LIST, _LIST_S)
    return tuple(module.probes(done.stdout + done.stderr))


def shown(command: tuple[str, ...]) -> str:
    """The command as it would be typed."""
    return " ".join(
        word if re.fullmatch(r"[\w@%+=:,./-]+", word) else "'" + word.replace("'", "'\\''") + "'" for word in command
    )


def _chosen(target: Target, name: str | None) -> ModuleType:
    known = runners()
    wanted = name or target.board.get("runner")
    if wanted in known:
        return known[str(wanted)]
    able = [known_name for known_name, module in known.items() if module.NEEDS in target.board]
    if wanted is None:
        raise bad_input(
            "EC673",
            f"`{target.id}` is no board that can be flashed",
            notes=("limit: a profile with [board] `runner`; found: none",),
            help=("on a phone the app brings the model along: see `edgecompile run --on adb`",)
            if target.model_metadata
            else ("build for the board itself: `edgecompile targets list` shows those that there are",),
        )
    by = f"the profile of `{target.id}` names it" if name is None else "named with `--runner`"
    raise bad_input(
        "EC673",
        f"there is no runner `{wanted}`",
        notes=(by, f"runners are {', '.join(f'`{known_name}`' for known_name in known)}"),
        help=(
            *did_you_mean(str(wanted), known),
            *([f"for this board: `--runner {able[0]}`"] if able else ["flash the image with the maker's own tool"]),
        ),
    )


def _check(module: ModuleType, target: Target, verify: bool, run: bool) -> None:
    able = [name for name, other in runners().items() if other.NEEDS in target.board]
    reason = None
    if module.NEEDS not in target.board:
        reason = f"it needs a board whose profile has `{module.NEEDS}` under [board]; that of `{target.id}` has none"
    elif run and not module.READS_RESULT:
        reason, able = "it cannot read what the self-test says", [n for n in able if runners()[n].READS_RESULT]
    elif verify and not module.VERIFIES:
        reason, able = "it cannot read back what was written", [n for n in able if runners()[n].VERIFIES]
    if reason is None:
        return
    raise bad_input(
        "EC674",
        f"the runner `{module.NAME}` cannot do this for `{target.id}`",
        notes=(reason,),
        help=(
            *_instead(module, target),
            *((f"runners that can: {', '.join(f'`{name}`' for name in able)}",) if able else ()),
        ),
    )


def _instead(module: ModuleType, target: Target) -> tuple[str, ...]:
    """For a board that is not itself emulated: another with its core can run what was built."""
    if module.NAME != EMULATED or module.NEEDS in target.board or "emulated_by" not in target.board:
        return ()
    other = target.board["emulated_by"]
    return (f"`edgecompile run DIR --on qemu` runs it on an emulated board with the same core, `{other}`",)


def _no_firmware(firmware: Path) -> EdgecompileError:
    return bad_input(
        "EC665",
        f"`{firmware}` holds no firmware project",
        str(firmware),
        help=(
            "build for a board: a core alone has no memory map to link for",
            "where the build said EC640, an operator has no C kernel, and nothing but the other outputs is there",
        ),
    )


def _no_test(folder: Path) -> EdgecompileError:
    return bad_input(
        "EC677",
        "the firmware has no self-test",
        str(folder),
        notes=("its golden values are computed at the build by TensorFlow Lite Micro, which was not installed",),
        help=("pip install --pre tflite-micro, and build again", "leave out `--run` to flash the application"),
    )


def _failed(module: ModuleType, done: programs.Finished, planned: Plan) -> EdgecompileError:
    """The cause among those that people meet, else that the tool failed."""
    text, name = done.stdout + done.stderr, planned.runner
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if _TELLING.search(line)] or lines
    end = "it took too long" if done.timed_out else f"exit code {done.returncode}"
    code, message, help = _cause(module, text, name)
    return rejected(code, message, notes=(shown(done.argv), *told[-3:], end), help=help)


def _cause(module: ModuleType, text: str, name: str) -> tuple[str, str, tuple[str, ...]]:
    if re.search(module.NO_PROBE, text):
        what = "drive of a boot loader" if name == "uf2" else "board or probe"
        plugged = "is it plugged in, and may this user open it (udev rules)?"
        return "EC670", f"`{name}` finds no {what}", (plugged, "`edgecompile flash DIR --list` looks for it")
    if re.search(module.WRONG_CHIP, text):
        help = ("build for the board that is attached", "with several probes name one: `--probe ID`")
        return "EC672", f"`{name}` finds another chip than the build is for, or does not know it", help
    if re.search(module.DIFFERS, text):
        return "EC675", "what is in flash differs from the image", ("erase the chip first, and flash again",)
    return "EC671", f"`{name}` failed", ("run the command by itself to see all it says",)


def _read_result(said: str, planned: Plan) -> str:
    result = _RESULT.search(said)
    if result is None:
        raise rejected(
            "EC676",
            "the self-test's result did not come back",
            notes=(f"waited for {planned.task.timeout_s:g} s", *said.strip().splitlines()[-2:]),
            help=("give it more time: `--timeout SECONDS`", "reset the board, and try again"),
        )
    if result[3] != "passed":
        raise rejected(
            "EC678",
            "the self-test failed on the board",
            notes=(result[0],),
            help=(
                "does the same build pass with `edgecompile run DIR --on qemu`?",
                "then the board differs from what its profile says",
            ),
        )
    return result[0]
