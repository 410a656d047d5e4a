"""``MODEL_features.h`` and ``.c``: what the model hears, from samples to its input."""

from __future__ import annotations

import numpy as np

from edgecompile.core.project import Preprocess
from edgecompile.emit.c.literals import array, real
from edgecompile.features.plan import FEATURE_BITS, Plan
from edgecompile.features.quantized import thresholds
from edgecompile.ir.network import Network, Tensor
from edgecompile.kernels.routine import C_TYPES
from edgecompile.libs.affine import Port

_TYPES = ("int8", "uint8", "int16", "float32")


def refusal(plan: Plan, network: Network, preprocess: Preprocess) -> str | None:
    """Why there is no front end in C for the network, None where there is one."""
    if len(network.main.inputs) != 1:
        return f"the model has {len(network.main.inputs)} inputs, and features are for a model of one"
    tensor = network.main.tensor(network.main.inputs[0])
    assert tensor is not None
    if tensor.elements != plan.rows * plan.columns or tensor.dtype not in _TYPES:
        return f"the model's input is {tensor}, and the features are [{plan.rows}, {plan.columns}]"
    if len(preprocess.scale) > 1 or len(preprocess.offset) > 1:
        return "`scale` and `offset` have a number for each column; one number each can be put into a table"
    if preprocess.scale and preprocess.scale[0] <= 0:
        return f"`scale` is {preprocess.scale[0]:g}; louder must be more"
    return None


def header(name: str, plan: Plan, tensor: Tensor) -> str:
    """The text; valid C99 and C++."""
    upper, kind = f"{name.upper()}_FEATURES", plan.features.kind
    what = "log mel energies" if kind == "log_mel" else "mel cepstral coefficients"
    return f"""\
/* What the model `{name}` hears: {what} of sound, in integers. Written by edgecompile; do not edit.
 *
 *   static int32_t scratch[{upper}_SCRATCH_WORDS];
 *   {name}_features(clip, (({name}_feature *){name}_input(arena.bytes, 0)), scratch);
 *
 * or, as sound comes in, one row for every {upper}_STEP samples; the model's input is {upper}_ROWS rows, oldest
 * first, to be written before each run. Samples are those of one microphone at {upper}_SAMPLE_RATE Hz.
 */
#ifndef {upper}_H_
#define {upper}_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define {upper}_SAMPLE_RATE {plan.sample_rate}
#define {upper}_CLIP {plan.length}
#define {upper}_WINDOW {plan.features.window}
#define {upper}_STEP {plan.features.step}
#define {upper}_ROWS {plan.rows}
#define {upper}_COLUMNS {plan.columns}
#define {upper}_SCRATCH_WORDS {plan.size + 2 + plan.features.bands + plan.columns}

/* A value of the model's input. */
typedef {C_TYPES[tensor.dtype]} {name}_feature;

/* One row, {upper}_COLUMNS values, of {upper}_WINDOW samples. */
void {name}_features_row(const int16_t *samples, {name}_feature *row, int32_t *scratch);

/* All rows of a clip of {upper}_CLIP samples. */
void {name}_features(const int16_t *clip, {name}_feature *input, int32_t *scratch);

#ifdef __cplusplus
}}
#endif

#endif /* {upper}_H_ */
"""


def source(name: str, plan: Plan, tensor: Tensor, preprocess: Preprocess, port: Port) -> str:
    """The text; it includes the header and ``kernels/features.h``."""
    upper = f"{name.upper()}_FEATURES"
    return f"""\
/* What the model `{name}` hears. Written by edgecompile; do not edit. */
#include "{name}_features.h"

#include "kernels/features.h"

{_tables(plan)}
static const ec_features_setup setup = {{
    window, twiddles, first_bins, weights, logarithms, {"cosines" if plan.features.kind == "mfcc" else "0"},
    {plan.features.window}, {plan.size}, {plan.features.bands}, {plan.columns}, {plan.fraction_bits}}};

{_conversion(name, plan, tensor, preprocess, port)}
void {name}_features_row(const int16_t *samples, {name}_feature *row, int32_t *scratch)
{{
    int32_t *const found = scratch + EC_FEATURES_WORDS({plan.size}, {plan.features.bands});
    int column;
    ec_features_row(&setup, samples, found, scratch);
    for (column = 0; column < {upper}_COLUMNS; ++column) row[column] = as_input(found[column]);
}}

void {name}_features(const int16_t *clip, {name}_feature *input, int32_t *scratch)
{{
    int row;
    for (row = 0; row < {upper}_ROWS; ++row) {{
        {name}_features_row(clip + row * {upper}_STEP, input + row * {upper}_COLUMNS, scratch);
    }}
}}
"""


def _tables(plan: Plan) -> str:
    firsts = [(first, len(weights)) for first, weights in plan.bands]
    tables = {
        "window": plan.window,
        "twiddles": plan.twiddles,
        "first_bins": np.array(firsts, np.int16),
        "weights": np.concatenate([weights for _, weights in plan.bands]),
        "logarithms": plan.logarithms,
        **({"cosines": plan.cosines} if plan.features.kind == "mfcc" else {}),
    }
    return "\n\n".join(array(name, values) for name, values in tables.items()) + "\n"


def _conversion(name: str, plan: Plan, tensor: Tensor, preprocess: Preprocess, port: Port) -> str:
    """A function from a feature in Q8 to a value of the input."""
    opening = f"static {name}_feature as_input(int32_t feature)\n{{\n"
    if tensor.dtype in ("int8", "uint8"):
        steps = thresholds(plan, preprocess.scale, preprocess.offset, port)
        return f"""\
/* The least feature of each value of the input but the lowest. */
{array("steps", steps)}

{opening}    int low = 0, high = {len(steps)};
    while (low < high) {{
        const int middle = (low + high) / 2;
        if (steps[middle] <= feature) {{
            low = middle + 1;
        }} else {{
            high = middle;
        }}
    }}
    return ({name}_feature)(low - {128 if tensor.dtype == "int8" else 0});
}}
"""
    lines = [f"    float x = (float)feature * {real(1 / (1 << FEATURE_BITS))};"]
    lines += [f"    x = x * {real(preprocess.scale[0])};"] if preprocess.scale else []
    lines += [f"    x = x + {real(preprocess.offset[0])};"] if preprocess.offset else []
    if tensor.dtype == "float32":
        return "\n".join([opening.rstrip(), *lines, "    return x;", "}"]) + "\n"
    lines += [
        "    double rounded;",
        f"    x = x / {real(port.scale)};",
        "    rounded = (double)x + (x < 0.0f ? -0.5 : 0.5);",
        "    if (rounded > 32767.0) rounded = 32767.0;",
        "    if (rounded < -32768.0) rounded = -32768.0;",
        f"    return ({name}_feature)rounded;",
    ]
    return "\n".join([opening.rstrip(), lines[0], lines[-6], *lines[1:-6], *lines[-5:], "}"]) + "\n"
