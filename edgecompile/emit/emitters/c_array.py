"""The flatbuffer as a C array: what firmware links in and hands to TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.core.units import group
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emission import Emission

NAME = "c_array"
_BYTES_A_LINE = 16
_HEX = tuple(f"0x{value:02x}," for value in range(256))


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``model_data.h`` and ``model_data.c``: valid C99 and C++, 16-byte aligned, in read-only memory."""
    name = identifier(emission.name)
    (folder / "model_data.h").write_text(_header(emission, name), encoding="ascii")
    (folder / "model_data.c").write_text(_source(emission, name), encoding="ascii")
    return describe(folder, "model_data.h", "c_header"), describe(folder, "model_data.c", "c_source")


def _header(emission: Emission, name: str) -> str:
    upper, size = name.upper(), len(emission.content)
    return f"""\
/* The model `{name}` as a TensorFlow Lite flatbuffer, {group(size)} bytes. Written by edgecompile; do not edit. */
#ifndef {upper}_MODEL_DATA_H_
#define {upper}_MODEL_DATA_H_

#ifdef __cplusplus
extern "C" {{
#endif

#define {upper}_MODEL_DATA_SIZE {size}u
{_arena(emission, upper)}
/* 16-byte aligned, constant: it stays in flash. */
extern const unsigned char {name}_model_data[{upper}_MODEL_DATA_SIZE];
extern const unsigned int {name}_model_data_size;

#ifdef __cplusplus
}}
#endif

#endif /* {upper}_MODEL_DATA_H_ */
"""


def _arena(emission: Emission, upper: str) -> str:
    if emission.arena_bytes is None:
        return ""
    return f"""
/* Bytes that the tensors share, as planned by edgecompile. The interpreter's arena must hold its own records
 * beside them: after AllocateTensors(), arena_used_bytes() tells how many bytes it took in all. */
#define {upper}_TENSOR_ARENA_BYTES {emission.arena_bytes}u
"""


def _source(emission: Emission, name: str) -> str:
    content = emission.content
    rows = (content[start : start + _BYTES_A_LINE] for start in range(0, len(content), _BYTES_A_LINE))
    lines = "\n".join("    " + " ".join([_HEX[byte] for byte in row]) for row in rows)
    upper = name.upper()
    return f"""\
/* The model `{name}` as a TensorFlow Lite flatbuffer. Written by edgecompile; do not edit. */
#include "model_data.h"

#if defined(__cplusplus)
#define MODEL_DATA_ALIGN alignas(16)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define MODEL_DATA_ALIGN _Alignas(16)
#elif defined(__GNUC__) || defined(__ARMCC_VERSION)
#define MODEL_DATA_ALIGN __attribute__((aligned(16)))
#elif defined(__ICCARM__)
#define MODEL_DATA_ALIGN _Pragma("data_alignment=16")
#else
#error "say here how this compiler aligns a variable to 16 bytes"
#endif

MODEL_DATA_ALIGN const unsigned char {name}_model_data[{upper}_MODEL_DATA_SIZE] = {{
{lines}
}};

const unsigned int {name}_model_data_size = {upper}_MODEL_DATA_SIZE;
"""
