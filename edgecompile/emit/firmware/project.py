"""Texts of a firmware project that depend on the model and the board: Makefile, linker script, names, golden values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.core.target import Region, Target
from edgecompile.core.units import group
from edgecompile.emit.emission import Golden
from edgecompile.ir.network import Subgraph

# What the stack gets at least: the deepest kernel, an exception's frame with floating point, and as much again.
STACK_BYTES = 2048
VECTORS_BYTES = 64
_WIDTH = 24
_SOUND_SIZES = ("CLIP", "WINDOW", "STEP", "ROWS", "COLUMNS")


@dataclass(frozen=True, kw_only=True)
class Map:
    """Where an image lies: the largest memory of each kind whose address the profile states."""

    flash: Region
    ram: Region


def map_of(target: Target) -> Map | None:
    """The memory map, None for a profile that states none (a core alone)."""
    found = {}
    for kind in ("flash", "ram"):
        regions = [region for region in target.regions if region.kind == kind and region.start is not None]
        if not regions:
            return None
        found[kind] = max(regions, key=lambda region: region.size_bytes)
    return Map(**found)


def why_no_firmware(target: Target) -> str | None:
    """What keeps a target from having a firmware project, None where it has one."""
    if map_of(target) is None:
        return "its profile states no addresses of flash and RAM"
    reason = target.board.get("no_firmware")
    return str(reason) if reason else None


def flags_of(target: Target) -> tuple[str, ...]:
    """What the compiler must know of the core."""
    own = target.board.get("compiler_flags")
    return tuple(own) if own else (f"-mcpu={target.board['core']}", "-mthumb")


def linker_script(target: Target) -> str:
    """The GNU linker script of a target with a memory map."""
    memory = map_of(target)
    assert memory is not None
    boot: Mapping[str, Any] = target.board.get("boot", {})
    first = target.board.get("vectors")
    vectors = "" if first is None else f"    VECTORS (rx) : ORIGIN = 0x{first:08x}, LENGTH = {VECTORS_BYTES}\n"
    return f"""\
/* Memory of {target.name}. Written by edgecompile.
 * FLASH is {memory.flash.name}: {memory.flash.source}
 * RAM is {memory.ram.name}: {memory.ram.source}
 */
ENTRY(Reset_Handler)

MEMORY
{{
    FLASH (rx) : ORIGIN = 0x{memory.flash.start:08x}, LENGTH = {memory.flash.size_bytes}
    RAM (rwx) : ORIGIN = 0x{memory.ram.start:08x}, LENGTH = {memory.ram.size_bytes}
{vectors}}}

SECTIONS
{{
    .vectors : {{ KEEP(*(.vectors)) }} > {"VECTORS" if vectors else "FLASH"}
{_boot(boot)}    .text : {{ *(.text .text.*) *(.rodata .rodata.*) . = ALIGN(4); }} > FLASH
    .ARM.exidx : {{ *(.ARM.exidx* .gnu.linkonce.armexidx.*) . = ALIGN(4); }} > FLASH
    .data :
    {{
        ec_data_start = .;
        *(.data .data.*)
        . = ALIGN(4);
        ec_data_end = .;
    }} > RAM AT > FLASH
    ec_data_load = LOADADDR(.data);
    .bss (NOLOAD) :
    {{
        . = ALIGN(4);
        ec_bss_start = .;
        *(.bss .bss.*) *(COMMON)
        . = ALIGN(4);
        ec_bss_end = .;
    }} > RAM
    /* The stack grows down from the end of RAM; this much is kept free for it. */
    .stack (NOLOAD) : {{ . = ALIGN(8); . += {STACK_BYTES}; }} > RAM
    ec_stack_top = (ORIGIN(RAM) + LENGTH(RAM)) & ~7;
    /DISCARD/ : {{ *(.ARM.extab*) *(.comment) *(.note*) }}
}}
"""


def _boot(boot: Mapping[str, Any]) -> str:
    """Words that the chip's boot ROM reads at a fixed place of the image."""
    if not boot:
        return ""
    words = " ".join(f"LONG(0x{word:08x})" for word in boot["words"])
    return f"    /* {boot['source']} */\n    .boot ORIGIN(FLASH) + 0x{boot['offset']:x} : {{ {words} }} > FLASH\n"


def model_header(name: str, graph: Subgraph, hears: bool = False) -> str:
    """``model.h``: one set of names for every model, so that the other files are the same for all.

    ``hears``: a front end for sound is beside the model.
    """
    upper = name.upper()
    inputs = ", ".join(f"{upper}_INPUT_{i}_BYTES" for i in range(len(graph.inputs)))
    outputs = ", ".join(f"{upper}_OUTPUT_{i}_BYTES" for i in range(len(graph.outputs)))
    return f"""\
/* The model `{name}` under names that do not depend on it. Written by edgecompile. */
#ifndef EC_FIRMWARE_MODEL_H_
#define EC_FIRMWARE_MODEL_H_

#include "../{name}.h"

#define MODEL_ARENA(name) union {{ uint64_t alignment; uint8_t bytes[{upper}_ARENA_BYTES]; }} name
#define MODEL_INIT {name}_init
#define MODEL_INPUT {name}_input
#define MODEL_OUTPUT {name}_output
#define MODEL_INVOKE {name}_invoke
#define MODEL_INPUTS {len(graph.inputs)}
#define MODEL_OUTPUTS {len(graph.outputs)}

__attribute__((unused)) static const uint32_t model_input_bytes[] = {{{inputs}}};
__attribute__((unused)) static const uint32_t model_output_bytes[] = {{{outputs}}};
{_front_end(name) if hears else ""}
#endif /* EC_FIRMWARE_MODEL_H_ */
"""


def _front_end(name: str) -> str:
    own = {
        "MODEL_FEATURES": f"{name}_features",
        "MODEL_FEATURES_ROW": f"{name}_features_row",
        **{f"MODEL_FEATURES_{word}": f"{name.upper()}_FEATURES_{word}" for word in _SOUND_SIZES},
        "MODEL_FEATURES_SCRATCH": f"{name.upper()}_FEATURES_SCRATCH_WORDS",
    }
    # A model that is called `model` has these names already.
    defined = "\n".join(f"#define {word} {of}" for word, of in own.items() if word != of)
    typed = "" if name == "model" else f"typedef {name}_feature model_feature;\n"
    return f"""
#include "../{name}_features.h"

{defined}
{typed}"""


def golden_header(golden: Golden) -> str:
    """``golden.h``: raw bytes of inputs and of the outputs that belong to them, sample by sample."""
    count = len(golden.inputs[0])
    return f"""\
/* {count} samples ({golden.of}), and what {golden.by} gives for them. Written by edgecompile. */
#ifndef EC_GOLDEN_H_
#define EC_GOLDEN_H_

#include <stdint.h>

#define GOLDEN_SAMPLES {count}u

{_rows("golden_inputs", golden.inputs)}

{_rows("golden_outputs", golden.outputs)}

#endif /* EC_GOLDEN_H_ */
"""


def _rows(name: str, arrays: Sequence[np.ndarray[Any, Any]]) -> str:
    count = len(arrays[0])
    samples = [np.frombuffer(b"".join(a[i].tobytes() for a in arrays), np.uint8) for i in range(count)]
    texts = []
    for sample in samples:
        lines = [", ".join(map(str, sample[at : at + _WIDTH])) for at in range(0, len(sample), _WIDTH)]
        texts.append("    {\n        " + ",\n        ".join(lines) + "},")
    return f"static const uint8_t {name}[{count}][{len(samples[0])}] = {{\n" + "\n".join(texts) + "\n};"


def makefile(name: str, target: Target, has_golden: bool, hears: bool = False) -> str:
    """The Makefile; ``OUT`` is where images go, ``LINKER`` the linker script."""
    memory = map_of(target)
    assert memory is not None
    test = "$(OUT)/self_test.elf " if has_golden else ""
    sound = _SOUND_TOLD if hears else ""
    told = ", and self_test.elf, which tells through semihosting whether it computes right" if has_golden else ""
    return f"""\
# Firmware of the model `{name}` for {target.name}: {group(memory.flash.size_bytes)} bytes of flash, \
{group(memory.ram.size_bytes)} of RAM. Written by edgecompile.
#
#   make              app.elf, the application{told}
#   make run          run.elf, which takes inputs from the host and gives it the outputs
#   make trace        the same with every operator's result; make profile: the same with a mark after each operator
{sound}CROSS ?= arm-none-eabi-
CC = $(CROSS)gcc
OBJCOPY = $(CROSS)objcopy
OUT ?= build
LINKER ?= linker.ld
OPTIMIZE ?= -O2
CORE = {" ".join(flags_of(target))}
NAME = {name}
MODEL = $(OUT)/$(NAME).o{" $(OUT)/$(NAME)_features.o" if hears else ""}
APP_SOURCES ?= main.c
""" + _RULES.replace("@ALL@", f"$(OUT)/app.elf {test}".strip()).replace(
        "@TEST@", f"{_TEST if has_golden else ''}{_SOUND if hears else ''}"
    )


_TEST = """
self_test: $(OUT)/self_test.elf

$(OUT)/self_test.elf: $(COMMON) $(OUT)/$(NAME).o $(OUT)/self_test.o $(OUT)/semihosting.o
\t$(LINK)
"""
_SOUND_TOLD = """\
#   make clip         clip.elf, which takes clips of sound in place of inputs
#   make features     features.elf, which gives what it makes of them
"""
_SOUND = """
features: $(OUT)/features.elf
clip: $(OUT)/clip.elf

$(OUT)/features.elf: $(COMMON) $(MODEL) $(OUT)/run.features.o $(OUT)/semihosting.o
\t$(LINK)

$(OUT)/clip.elf: $(COMMON) $(MODEL) $(OUT)/run.clip.o $(OUT)/semihosting.o
\t$(LINK)

$(OUT)/$(NAME)_features.o: ../$(NAME)_features.c | $(OUT)
\t$(CC) $(CFLAGS) -c $< -o $@

$(OUT)/run.features.o: run.c | $(OUT)
\t$(CC) $(CFLAGS) -DEC_FEATURES -c $< -o $@

$(OUT)/run.clip.o: run.c | $(OUT)
\t$(CC) $(CFLAGS) -DEC_CLIP -c $< -o $@
"""
_RULES = """
WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Werror
CFLAGS = $(CORE) -std=c99 $(OPTIMIZE) -g -ffunction-sections -fdata-sections -fstack-usage $(WARNINGS)
LDFLAGS = $(CORE) -nostartfiles --specs=nano.specs -T $(LINKER) -Wl,--gc-sections -Wl,-Map=$@.map
COMMON = $(OUT)/startup.o $(OUT)/memory.o
LINK = $(CC) $(LDFLAGS) $(filter %.o,$^) -lm -o $@

all: @ALL@
app: $(OUT)/app.elf
run: $(OUT)/run.elf
trace: $(OUT)/trace.elf
profile: $(OUT)/profile.elf
bin: $(OUT)/app.bin
@TEST@
$(OUT)/app.elf: $(COMMON) $(MODEL) $(addprefix $(OUT)/,$(APP_SOURCES:.c=.o))
\t$(LINK)

$(OUT)/run.elf: $(COMMON) $(OUT)/$(NAME).o $(OUT)/run.o $(OUT)/semihosting.o
\t$(LINK)

$(OUT)/trace.elf: $(COMMON) $(OUT)/$(NAME).trace.o $(OUT)/run.trace.o $(OUT)/semihosting.o
\t$(LINK)

$(OUT)/profile.elf: $(COMMON) $(OUT)/$(NAME).profile.o $(OUT)/run.o $(OUT)/semihosting.o
\t$(LINK)

$(OUT)/%.bin: $(OUT)/%.elf
\t$(OBJCOPY) -O binary $< $@

$(OUT)/$(NAME).o: ../$(NAME).c | $(OUT)
\t$(CC) $(CFLAGS) -c $< -o $@

$(OUT)/$(NAME).trace.o: ../$(NAME).c hooks.h | $(OUT)
\t$(CC) $(CFLAGS) -DEC_TRACE -include hooks.h -c $< -o $@

$(OUT)/$(NAME).profile.o: ../$(NAME).c hooks.h | $(OUT)
\t$(CC) $(CFLAGS) -DEC_PROFILE -include hooks.h -c $< -o $@

$(OUT)/run.trace.o: run.c | $(OUT)
\t$(CC) $(CFLAGS) -DEC_TRACE -c $< -o $@

$(OUT)/memory.o: memory.c | $(OUT)
\t$(CC) $(CFLAGS) -fno-builtin -fno-tree-loop-distribute-patterns -c $< -o $@

$(OUT)/startup.o: startup.c | $(OUT)
\t$(CC) $(CFLAGS) -fno-tree-loop-distribute-patterns -c $< -o $@

$(OUT)/%.o: %.c | $(OUT)
\t$(CC) $(CFLAGS) -c $< -o $@

$(OUT):
\tmkdir -p $@

clean:
\trm -rf $(OUT)

.PHONY: all app run trace profile bin self_test clean
"""
