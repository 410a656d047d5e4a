"""The same networks on an emulated Cortex-M: a firmware that runs them on inputs in flash and prints hashes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kernel_run import STRICT, inputs_of, write_c

from edgecompile.core.target import DSP
from edgecompile.ir.network import Network

SAMPLES = 3
_LINK = """\
MEMORY { FLASH (rx) : ORIGIN = %(flash)s, LENGTH = 4M  RAM (rwx) : ORIGIN = %(ram)s, LENGTH = 2M }
ENTRY(reset)
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } > FLASH
  .bss : { *(.bss*) *(COMMON) } > RAM
  stack_top = ORIGIN(RAM) + LENGTH(RAM);
}
"""
_MAIN = """\
#include <string.h>
%(includes)s
extern uint32_t stack_top;
void reset(void);
__attribute__((section(".vectors"), used)) static const struct {
    const uint32_t *stack;
    void (*entries[3])(void);
} vectors = {&stack_top, {reset, reset, reset}};
static void host(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}
static void print(uint32_t value)
{
    char text[10] = "00000000\\n";
    int i;
    for (i = 0; i < 8; ++i) text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15u];
    host(4, text);
}
static uint32_t hashed(uint32_t hash, const void *place, uint32_t count)
{
    const uint8_t *byte = (const uint8_t *)place;
    while (count--) hash = (hash ^ *byte++) * 16777619u;
    return hash;
}
static uint32_t arena[%(words)d];
%(data)s
void reset(void)
{
    *(volatile uint32_t *)0xe000ed88u |= 0xf00000u; /* the coprocessors: FPU, MVE */
%(cases)s
    host(0x18, (const void *)0x20026u);
    for (;;) {
    }
}
"""


@dataclass(frozen=True)
class Board:
    """One of QEMU's."""

    machine: str
    flags: tuple[str, ...]
    flash: str = "0x00000000"
    ram: str = "0x20000000"


BOARDS = {
    "m3, portable": Board("mps2-an385", ("-mcpu=cortex-m3",)),
    "m4, dsp": Board("mps2-an386", ("-mcpu=cortex-m4",)),
    "m7, dsp": Board("mps2-an500", ("-mcpu=cortex-m7",)),
    "m33, dsp": Board("mps2-an505", ("-mcpu=cortex-m33",), "0x10000000", "0x38000000"),
}


# Its instruction memory ends at 512 KiB.
HELIUM_BOARD = Board("mps3-an547", ("-mcpu=cortex-m55", "-mfloat-abi=hard"), ram="0x21000000")


def run_on_board(
    networks: Mapping[str, Network],
    board: Board,
    folder: Path,
    forms: Mapping[str, tuple[str, ...]] | None = None,
    kernels: str = DSP,
) -> dict[str, list[int]]:
    """A hash of the outputs for each of SAMPLES inputs of each network; ``forms`` of the weights by case."""
    data, calls = [], []
    includes, words = [], 1
    for index, (case, network) in enumerate(networks.items()):
        name = f"n{index}"
        write_c(name, network, folder, (forms or {}).get(case, ("dense",)), kernels)
        includes.append(f'#include "{name}.c"')
        size = next(
            int(line.split()[-1])
            for line in (folder / f"{name}.h").read_text().splitlines()
            if line.startswith(f"#define {name.upper()}_ARENA_BYTES")
        )
        words = max(words, size // 4 + 1)
        given = inputs_of(network)
        for sample in range(SAMPLES):
            for position, array in enumerate(given):
                raw = ",".join(map(str, np.ascontiguousarray(array[sample]).reshape(-1).view(np.uint8)))
                data.append(f"static const uint8_t {name}_{sample}_{position}[] = {{{raw}}}; /* {case} */")
                where = f"{name}_{sample}_{position}"
                calls.append(f"    memcpy({name}_input(arena, {position}), {where}, sizeof {where});")
            calls.append(f"    {name}_invoke(arena);")
            hash_ = "2166136261u"
            for position in range(len(network.main.outputs)):
                hash_ = f"hashed({hash_}, {name}_output(arena, {position}), {name.upper()}_OUTPUT_{position}_BYTES)"
            calls.append(f"    print({hash_});")
    values = {"includes": "\n".join(includes), "words": words, "data": "\n".join(data), "cases": "\n".join(calls)}
    (folder / "main.c").write_text(_MAIN % values)
    (folder / "link.ld").write_text(_LINK % {"flash": board.flash, "ram": board.ram})
    flags = [*board.flags, "-mthumb", "-O2", "-nostartfiles", "--specs=nosys.specs", "-T", "link.ld"]
    done = subprocess.run(
        ["arm-none-eabi-gcc", *STRICT, *flags, "main.c", "-o", "main.elf"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[:4000]
    emulator = ["qemu-system-arm", "-M", board.machine, "-nographic", "-monitor", "none"]
    emulator += ["-semihosting-config", "enable=on,target=native", "-kernel", "main.elf"]
    ran = subprocess.run(emulator, cwd=folder, capture_output=True, text=True, timeout=60)
    hashes = [int(line, 16) for line in (ran.stdout + ran.stderr).split()]
    assert len(hashes) == SAMPLES * len(networks), ran.stderr[:1000]
    return {case: hashes[SAMPLES * i : SAMPLES * (i + 1)] for i, case in enumerate(networks)}


def hash_of(outputs: tuple[np.ndarray, ...], sample: int) -> int:
    """The firmware's hash (FNV-1a) of what an interpreter gave."""
    value = 2166136261
    for output in outputs:
        for byte in np.ascontiguousarray(output[sample]).view(np.uint8).tolist():
            value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value
