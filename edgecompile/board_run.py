"""Run what was built on an emulated board: its self-test, given inputs, instructions of each operator."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.board import EMITTER, Emulated, emulated
from edgecompile.core.errors import bad_input, rejected
from edgecompile.core.report import Measure
from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Subgraph
from edgecompile.ir.ports import port_of
from edgecompile.libs.affine import dequantize, quantize
from edgecompile.lowering import noise_for
from edgecompile.measure.board import figures as counting
from edgecompile.measure.board import image, laps, qemu
from edgecompile.measure.board.operators import OperatorFigures, shares
from edgecompile.verify.c_library import raw_inputs

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class OperatorCost:
    """Instructions of one operator, the call of a mark (about five) included, and what it takes of the image.

    ``flash_bytes``: that it alone needs. ``ram_bytes``: of the arena, in use while it runs; None where the build's
    report is not there. ``stack_bytes``: below it; None without a bound.
    """

    operator: int
    label: str
    instructions: int
    flash_bytes: int = 0
    ram_bytes: int | None = None
    stack_bytes: int | None = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class BoardRun:
    """``outputs``: real values by tensor name, samples first, None where no inputs were given. ``self_test``: its line,
    "" where the project has none. ``operators``: empty where nobody asked; several need ``shared_flash_bytes``."""

    described: str
    self_test: str
    measures: tuple[Measure, ...]
    samples: int = 0
    outputs: dict[str, Array] | None = None
    operators: tuple[OperatorCost, ...] = ()
    shared_flash_bytes: int = 0


def run_on_board(
    folder: Path,
    target: Target,
    network: Network,
    x: Sequence[Array] | None = None,
    *,
    clip: Array | None = None,
    profile: bool = False,
) -> BoardRun:
    """Build the images of ``folder`` (a target's outputs) and run them.

    ``x``: real-valued inputs, samples first. ``clip``: ``int16[1, length]`` of sound in place of them, of which the
    board makes the model's input by itself. Raises MissingError EC664 where no emulated board has the target's core,
    EC191 for programs, BadInputError EC665 without a firmware project, EC701 for samples that do not fit, RejectedError
    EC661 to EC663, EC666 when the self-test fails.
    """
    stands = emulated(target)
    if stands is None:
        raise qemu.missing_machine(target.id)
    firmware = folder / EMITTER
    tested = (firmware / "golden.h").is_file()
    images = [*(["self_test"] if tested else []), "run", *([laps.IMAGE] if profile else [])]
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        out = Path(made) / "emulated"
        out.mkdir()
        found = counting.figures(firmware, Path(made) / "own", core=str(target.board.get("core", "")))
        if clip is not None:
            _demand_front_end(firmware)
            images.append("clip")
        image.build(firmware, images, out, stands.linker(out))
        said = _self_test(stands, out / "self_test.elf", firmware) if tested else ""
        raw = _fed(network, x) if x is not None else raw_inputs(network, noise_for(network, 0), 1)
        name, fed = ("run", raw) if clip is None else ("clip", [clip])
        ran = qemu.run(stands.machine, out / f"{name}.elf", fed, stands.clock_hz)
        costs = profile_of(stands, out / f"{laps.IMAGE}.elf", raw, network.main) if profile else ()
        shared = 0
        if profile:
            costs, shared = _with_memory(costs, folder, Path(made) / "own", network.main)
    one = Measure(name="instructions", value=ran.laps[0], unit="count", method=f"{ran.method}, one inference")
    given = len(clip) if clip is not None else len(raw[0]) if x is not None else 0
    return BoardRun(
        described=ran.method.removeprefix("simulated: "),
        self_test=said,
        measures=(one, *found.measures()),
        samples=given,
        outputs=_outputs(network.main, ran.outputs, given) if given else None,
        operators=costs,
        shared_flash_bytes=shared,
    )


def _demand_front_end(firmware: Path) -> None:
    """Raises EC111 where the model's input is not made of sound on the board."""
    if "\nclip:" not in (firmware / "Makefile").read_text(encoding="utf-8"):
        help = ("build with [data.features], or give a .npz with what the model takes",)
        raise bad_input("EC111", "the firmware has no front end for sound", str(firmware), help=help)


def _fed(network: Network, x: Sequence[Array]) -> list[Array]:
    """Raw inputs: real values are quantized, integers of the input's own type are taken as they are."""
    fed = []
    for array, index in zip(x, network.main.inputs, strict=True):
        tensor = network.main.tensors[index]
        if array[0].size != tensor.elements:
            raise bad_input(
                "EC701",
                f"the samples do not fit the input `{tensor.name}`",
                notes=(f"limit: {tensor}, {tensor.elements} values a sample", f"found: {list(array.shape[1:])}"),
                help=("preprocess the samples as for training",),
            )
        port = port_of(tensor)
        raw = quantize(array, port) if port.quantized and array.dtype != tensor.dtype else array.astype(tensor.dtype)
        fed.append(np.ascontiguousarray(raw.reshape(len(array), *tensor.shape)))
    return fed


def _self_test(stands: Emulated, path: Path, firmware: Path) -> str:
    tested = qemu.self_test(stands.machine, path)
    if not tested.passed:
        raise rejected(
            "EC666",
            "the self-test failed on the emulated board",
            str(firmware / "golden.h"),
            notes=(tested.said, f"board: {stands.machine}; golden.h says what gave the expected outputs"),
            help=("build again, in case a file was changed", "else this is a fault of edgecompile: please report it"),
        )
    return tested.said


def profile_of(stands: Emulated, path: Path, raw: Sequence[Array], graph: Subgraph) -> tuple[OperatorCost, ...]:
    """Instructions of each operator, from the first sample."""
    counts = laps.by_operator(stands.machine, path, raw, stands.clock_hz, graph)
    return tuple(
        OperatorCost(operator=index, label=graph.operators[index].label, instructions=count)
        for index, count in counts.items()
    )


def _with_memory(
    costs: Sequence[OperatorCost], folder: Path, own: Path, graph: Subgraph
) -> tuple[tuple[OperatorCost, ...], int]:
    """Costs with what each operator takes of the image in ``own``, and the flash that several share."""
    # Beside it there is at most its front end for sound, whose name is longer.
    name = min((path.stem for path in folder.glob("*.c") if (own / f"{path.stem}.o").is_file()), key=len)
    found = shares(own / "app.elf", own, name, len(graph.operators))
    in_use = _arena_in_use(folder, len(graph.operators))
    nothing = OperatorFigures(flash_bytes=0, stack_bytes=0)
    made = []
    for cost in costs:
        takes = found.operators.get(cost.operator, nothing)
        ram = in_use.get(cost.operator)
        made.append(replace(cost, flash_bytes=takes.flash_bytes, ram_bytes=ram, stack_bytes=takes.stack_bytes))
    return tuple(made), found.shared_bytes


def _arena_in_use(folder: Path, count: int) -> dict[int, int]:
    """Bytes of the arena that hold something while an operator runs, by the memory map in the build's report."""
    path = folder / "report.json"
    if not path.is_file():
        return {}
    told = json.loads(path.read_text(encoding="utf-8")).get("details", {}).get("memory map of the C library")
    if told is None or len(told["steps"]) != count:
        return {}
    places = [(t["first"], t["last"], t["offset"], t["offset"] + t["bytes"]) for t in told["tensors"]]
    return {
        step: covered([(start, end) for first, last, start, end in places if first <= step <= last])
        for step in range(count)
    }


def covered(spans: Sequence[tuple[int, int]]) -> int:
    """Length of what lies in any of the spans."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _outputs(graph: Subgraph, raw: Array, count: int) -> dict[str, Array]:
    """Real values; samples take the place of a batch of one."""
    found, start, rows = {}, 0, raw.reshape(count, -1)
    for index in graph.outputs:
        tensor = graph.tensors[index]
        part = np.ascontiguousarray(rows[:, start : start + tensor.size_bytes]).view(tensor.dtype)
        shape = tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape
        found[tensor.name] = dequantize(part.reshape(count, *shape), port_of(tensor))
        start += tensor.size_bytes
    return found
