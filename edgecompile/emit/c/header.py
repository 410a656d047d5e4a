"""``MODEL.h``: sizes, quantization, and the functions that firmware calls."""

from __future__ import annotations

from edgecompile.core.units import group
from edgecompile.emit.c.literals import comment, real
from edgecompile.emit.emission import Layout
from edgecompile.ir.network import Subgraph, Tensor


def header(name: str, graph: Subgraph, layout: Layout) -> str:
    """The text; valid C99 and C++."""
    upper = name.upper()
    ports = [_port(upper, "INPUT", i, graph.tensors[t]) for i, t in enumerate(graph.inputs)]
    ports += [_port(upper, "OUTPUT", i, graph.tensors[t]) for i, t in enumerate(graph.outputs)]
    blocks = "\n".join(ports)
    return f"""\
/* The model `{name}` as a C library. Written by edgecompile; do not edit.
 *
 *   static union {{ uint32_t alignment; uint8_t bytes[{upper}_ARENA_BYTES]; }} arena;
 *   {name}_init(arena.bytes);
 *   ... write the inputs to {name}_input(arena.bytes, 0) ...
 *   {name}_invoke(arena.bytes);
 *   ... read {name}_output(arena.bytes, 0) ...
 *
 * All state is in the arena: two arenas are two models. Running the model overwrites its inputs; outputs stay until
 * inputs are written again. Quantized values mean: real = scale * (value - zero point).
 */
#ifndef {upper}_H_
#define {upper}_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

/* {group(layout.arena_bytes)} bytes, inputs and outputs inside, aligned to {layout.alignment}. */
#define {upper}_ARENA_BYTES {max(layout.arena_bytes, 1)}
#define {upper}_ARENA_ALIGNMENT {layout.alignment}

{blocks}
/* Prepare an arena; once before the first run, and again to forget what streaming models remember. */
void {name}_init(void *arena);

/* Where an input is to be written, and an output to be read; null for an index that the model does not have. */
void *{name}_input(void *arena, int index);
const void *{name}_output(const void *arena, int index);

/* Run once. */
void {name}_invoke(void *arena);

#ifdef __cplusplus
}}
#endif

#endif /* {upper}_H_ */
"""


def _port(upper: str, kind: str, index: int, tensor: Tensor) -> str:
    prefix = f"{upper}_{kind}_{index}"
    lines = [
        f"/* {kind.capitalize()} {index}, `{comment(tensor.name)}`: {tensor.dtype}{list(tensor.shape)}. */",
        f"#define {prefix}_BYTES {tensor.size_bytes}",
        f"#define {prefix}_ELEMENTS {tensor.elements}",
    ]
    quantization = tensor.quantization
    if quantization is not None and len(quantization.scales) == 1:
        zero_point = quantization.zero_points[0] if quantization.zero_points else 0
        lines += [
            f"#define {prefix}_SCALE {real(quantization.scales[0])}",
            f"#define {prefix}_ZERO_POINT ({zero_point})",
        ]
    return "\n".join([*lines, ""])
