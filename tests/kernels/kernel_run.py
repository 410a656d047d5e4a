"""Many small networks as C in one executable, and the same networks in TensorFlow Lite Micro; what each gives."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgecompile.core.target import DSP
from edgecompile.emit.c.header import header
from edgecompile.emit.c.source import headers_of, source
from edgecompile.emit.emission import Layout
from edgecompile.emit.emitters.c_library import with_their_own
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.kernels.program import Program, compile_network
from edgecompile.memory.program_plan import plan_program

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
SANITIZED = ["-O0", "-g", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"]
SAMPLES = 6
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")

_MAIN = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void fill(void *to, size_t size) { if (fread(to, 1, size, stdin) != size) exit(3); }
%(includes)s
int main(int argc, char **argv)
{
    int samples = argc > 2 ? atoi(argv[2]) : 0;
    for (; samples > 0; --samples) {
%(cases)s
    }
    return 0;
}
"""


@dataclass(frozen=True)
class Answers:
    """Outputs by position, samples first, each sample flat."""

    c: tuple[np.ndarray, ...]
    micro: tuple[np.ndarray, ...]


def inputs_of(network: Network, seed: int = 0, samples: int = SAMPLES) -> list[np.ndarray]:
    """Noise over the whole range, and each extreme everywhere."""
    draw = np.random.default_rng(seed)
    found = []
    for index in network.main.inputs:
        tensor = network.main.tensors[index]
        if tensor.dtype == "float32":
            values = draw.normal(size=(samples, *tensor.shape)).astype(np.float32) * 4
            values[1], values[2] = 0.5, -7
            found.append(values)
            continue
        if tensor.dtype == "bool":
            found.append(draw.integers(0, 2, (samples, *tensor.shape)).astype(bool))
            continue
        limits = np.iinfo(tensor.dtype)
        values = draw.integers(limits.min, limits.max + 1, (samples, *tensor.shape), dtype=tensor.dtype)
        values[1], values[2] = limits.min, limits.max
        found.append(values)
    return found


def write_c(
    name: str, network: Network, folder: Path, forms: tuple[str, ...] = ("dense",), kernels: str = DSP
) -> Program:
    """The network's library in a folder, weights in the smallest of ``forms``, laid out for ``kernels``."""
    program = compile_network(network, forms=forms, goal="size", kernels=kernels)
    assert not program.refusals, program.refusals
    plan = plan_program(network, program)
    layout = Layout(arena_bytes=plan.plan.arena_bytes, offsets=plan.offsets, scratch=plan.scratch)
    (folder / f"{name}.h").write_text(header(name, program.subgraph, layout))
    (folder / f"{name}.c").write_text(source(name, program, layout))
    (folder / "kernels").mkdir(exist_ok=True)
    for kernel, text in with_their_own(("rounding", *headers_of(program))).items():
        (folder / "kernels" / f"{kernel}.h").write_text(text)
    return program


def run_all(
    networks: Mapping[str, Network],
    folder: Path,
    flags: list[str] = SANITIZED,
    forms: Mapping[str, tuple[str, ...]] | None = None,
    kernels: str = DSP,
) -> dict[str, Answers]:
    """Compile every network into one executable, run it and TensorFlow Lite Micro on the same inputs.

    ``forms``: of the weights by case, dense where it has none.
    """
    names = {case: f"n{index}" for index, case in enumerate(networks)}
    given = {}
    for case, network in networks.items():
        write_c(names[case], network, folder, (forms or {}).get(case, ("dense",)), kernels)
        (folder / f"{names[case]}.tflite").write_bytes(write(network))
        given[case] = inputs_of(network)
        np.savez(folder / f"{names[case]}.npz", *given[case])
    _compile({names[case]: network for case, network in networks.items()}, folder, flags)
    reference = Path(__file__).with_name("kernel_reference.py")
    subprocess.run([sys.executable, str(reference), str(folder)], check=True)
    return {case: _answers(names[case], network, given[case], folder) for case, network in networks.items()}


def _compile(networks: Mapping[str, Network], folder: Path, flags: list[str]) -> None:
    cases = "\n".join(_case(name, network) for name, network in networks.items())
    includes = "\n".join(f'#include "{name}.c"' for name in networks)
    (folder / "main.c").write_text(_MAIN % {"includes": includes, "cases": cases})
    done = subprocess.run(
        ["gcc", *STRICT, *flags, "main.c", "-o", "main", "-lm"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[:4000]


def _case(name: str, network: Network) -> str:
    """Each arena in memory of its own size, so that the address sanitizer sees its ends.

    A network with variables keeps its arena from sample to sample, as the interpreter does.
    """
    upper, graph = name.upper(), network.main
    remembers = any(tensor.is_variable or tensor.dtype == "resource" for tensor in graph.tensors)
    lines = [
        f'        if (strcmp(argv[1], "{name}") == 0) {{',
        f"            static unsigned char {name}_begun;",
        "            static void *arena;",
        f"            if (!{name}_begun) {{",
        f"                arena = malloc({upper}_ARENA_BYTES);",
        f"                memset(arena, 0x55, {upper}_ARENA_BYTES);",
        f"                {name}_init(arena);",
        "            }",
        f"            {name}_begun = {int(remembers)};",
    ]
    for index in range(len(graph.inputs)):
        lines.append(f"            fill({name}_input(arena, {index}), {upper}_INPUT_{index}_BYTES);")
    lines.append(f"            {name}_invoke(arena);")
    for index in range(len(graph.outputs)):
        lines.append(f"            fwrite({name}_output(arena, {index}), 1, {upper}_OUTPUT_{index}_BYTES, stdout);")
    lines.append(f"            if (!{name}_begun) free(arena);")
    return "\n".join([*lines, "        }"])


def _answers(name: str, network: Network, given: list[np.ndarray], folder: Path) -> Answers:
    why = folder / f"{name}.why"
    assert not why.exists(), why.read_text()
    count = len(given[0])
    stream = b"".join(array[sample].tobytes() for sample in range(count) for array in given)
    done = subprocess.run([str(folder / "main"), name, str(count)], input=stream, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[:4000]
    tensors = [network.main.tensors[index] for index in network.main.outputs]
    rows = np.frombuffer(done.stdout, np.uint8).reshape(count, -1)
    parts, start = [], 0
    for tensor in tensors:
        raw = np.ascontiguousarray(rows[:, start : start + tensor.size_bytes])
        parts.append(raw.view(np.uint8 if tensor.dtype == "bool" else tensor.dtype).reshape(count, -1))
        start += tensor.size_bytes
    kept = np.load(folder / f"{name}.out.npz")
    return Answers(c=tuple(parts), micro=tuple(kept[key].reshape(count, -1) for key in kept.files))


def assert_equal(answers: Answers) -> None:
    """Bit for bit."""
    assert len(answers.c) == len(answers.micro)
    for ours, theirs in zip(answers.c, answers.micro, strict=True):
        np.testing.assert_array_equal(ours, theirs.view(ours.dtype))
