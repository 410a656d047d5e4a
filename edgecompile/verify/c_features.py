"""Hold the emitted front end for sound against its twin in Python: every value of the model's input."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import MissingError, RejectedError, rejected
from edgecompile.core.project import Preprocess
from edgecompile.core.units import counted, group
from edgecompile.features.compute import compute
from edgecompile.features.plan import Plan
from edgecompile.features.quantized import scaled
from edgecompile.libs import programs
from edgecompile.libs.affine import Port, quantize
from edgecompile.verify.c_harness import FLAGS, compiler
from edgecompile.verify.c_library import CVerification
from edgecompile.verify.verify import FAILED, SKIPPED, VERIFIED

Array = np.ndarray[Any, Any]
_COMPILE_S, _RUN_S = 120.0, 120.0
_MAIN = """\
#include <stdio.h>
#include "{name}_features.h"
static int16_t clip[{upper}_FEATURES_CLIP];
static {name}_feature input[{upper}_FEATURES_ROWS * {upper}_FEATURES_COLUMNS];
static int32_t scratch[{upper}_FEATURES_SCRATCH_WORDS];
int main(int argc, char **argv)
{{
    FILE *from = argc > 2 ? fopen(argv[1], "rb") : NULL, *to = argc > 2 ? fopen(argv[2], "wb") : NULL;
    if (from == NULL || to == NULL) return 2;
    while (fread(clip, sizeof clip, 1, from) == 1) {{
        {name}_features(clip, input, scratch);
        fwrite(input, sizeof input, 1, to);
    }}
    return fclose(to) == 0 ? 0 : 3;
}}
"""


@dataclass(frozen=True, kw_only=True)
class FrontEnd:
    """``plan`` of the features, what comes between them and ``port``, the model's input."""

    plan: Plan
    preprocess: Preprocess
    port: Port

    def expected(self, clips: Array) -> Array:
        """What the model's input must hold for ``int16[n, length]``, in its own type: ``[n, values]``."""
        real = scaled(compute(self.plan, clips), self.preprocess.scale, self.preprocess.offset)
        raw = quantize(real, self.port) if self.port.quantized else real.astype(self.port.dtype)
        return np.asarray(raw.reshape(len(clips), -1))

    def of_bytes(self, raw: Array, count: int) -> Array:
        """Bytes of ``count`` inputs as ``[n, values]``."""
        return np.ascontiguousarray(raw).view(self.port.dtype).reshape(count, -1)


# Clips in, the bytes of the inputs that are made of them out.
Run = Callable[[Array], Array]


def sounds(plan: Plan) -> Array:
    """``int16[7, length]``: silence, both limits of the converter, noise loud and at one step, a sweep, a click."""
    count, generator = plan.length, np.random.default_rng(0)
    time_s = np.arange(count) / plan.sample_rate
    sweep = np.sin(np.pi * plan.sample_rate / 2 * time_s**2 / max(time_s[-1], 1e-9))
    click = np.zeros(count)
    click[count // 2] = 32767
    clips = (
        np.zeros(count),
        np.full(count, -32768),
        np.where(generator.random(count) < 0.5, -32768, 32767),
        generator.normal(0, 3000, count),
        generator.integers(-1, 2, count),
        32767 * sweep,
        click,
    )
    return np.asarray(np.clip(np.rint(np.stack(clips)), -32768, 32767), np.int16)


def verify_on_host(folder: Path, name: str, front_end: FrontEnd, model_name: str) -> CVerification:
    """Compile what was emitted into ``folder`` with this machine's compiler and compare; see :func:`verify_run`."""
    cc = compiler()
    if cc is None:
        return CVerification(status=SKIPPED, summary="features not verified: a C compiler is missing")
    return verify_run(lambda clips: _host(folder, name, cc, clips, model_name), front_end, model_name, "features in C")


def verify_run(run: Run, front_end: FrontEnd, model_name: str, where: str) -> CVerification:
    """Whether ``run`` makes of sound what Python makes of it. EC725 where not; what it raises becomes a diagnostic."""
    clips = sounds(front_end.plan)
    expected = front_end.expected(clips)
    try:
        found = front_end.of_bytes(run(clips), len(clips))
    except MissingError as error:
        return CVerification(status=SKIPPED, summary="features not verified", diagnostics=error.diagnostics)
    except RejectedError as error:
        return CVerification(status=FAILED, summary=error.diagnostics[0].message, diagnostics=error.diagnostics)
    if not np.array_equal(found, expected):
        wrong = _differ(found, expected, model_name, where)
        return CVerification(status=FAILED, summary=wrong.message, diagnostics=(wrong,))
    summary = (
        f"{where} equal Python's in all {counted(expected.size, 'value')} of {counted(len(clips), 'clip')}, bit for bit"
    )
    return CVerification(status=VERIFIED, summary=summary, samples=len(clips))


def _host(folder: Path, name: str, cc: str, clips: Array, model_name: str) -> Array:
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        place = Path(made)
        (place / "main.c").write_text(_MAIN.format(name=name, upper=name.upper()), encoding="ascii")
        sources = (place / "main.c", folder / f"{name}_features.c")
        done = programs.run([cc, *FLAGS, f"-I{folder}", *sources, "-o", place / "main"], _COMPILE_S)
        if done.returncode == 0:
            (place / "clips").write_bytes(clips.tobytes())
            done = programs.run([place / "main", place / "clips", place / "inputs"], _RUN_S)
        if done.returncode != 0 or done.timed_out:
            raise rejected(
                "EC722",
                f"the features in C do not compile and run with {cc}",
                model_name,
                notes=[line for line in done.stderr.splitlines() if "error" in line][:4]
                or [f"it ended with {done.returncode}"],
                help=("this is a fault of edgecompile: please report it with the project file",),
            )
        return np.fromfile(place / "inputs", np.uint8)


def _differ(found: Array, expected: Array, model_name: str, where: str) -> Diagnostic:
    clip, value = (int(i) for i in np.argwhere(found != expected)[0])
    return Diagnostic(
        code="EC725",
        severity=Severity.ERROR,
        message=f"{where} differ from those that the model was given here",
        location=Location(file=model_name),
        notes=(
            f"{group(int(np.sum(found != expected)))} of {group(expected.size)} values differ",
            f"clip {clip}, value {value}: found {found[clip, value]}, expected {expected[clip, value]}",
        ),
        help=("this is a fault of edgecompile: please report it with the project file",),
    )
