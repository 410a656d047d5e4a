"""Top-1 of the emitted artifact beside the float model: ResNet-8 and KWS, through `build`, for three targets."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from _shared import cifar10_npz, data_folder, edgecompile, measures, methods, speech_npz, table

TARGETS = ("coral", "cortex-m4", "android-nnapi")
LIMIT_POINTS = 0.5
MODELS = {
    "ResNet-8": ("models/mlperf_ic_resnet8.h5", cifar10_npz),
    "KWS DS-CNN": ("models/kws_dscnn.h5", speech_npz),
    "KWS SavedModel": ("models/mlperf_kws_saved_model", speech_npz),
}


def main() -> int:
    """Print the table; exit 1 when an artifact loses more than the limit."""
    folder = data_folder()
    rows: list[tuple[str, ...]] = [("model", "target", "float", "int8", "points", "status", "measured by")]
    worst = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for name, (path, make_data) in MODELS.items():
            data = make_data(folder, Path(scratch) / f"{make_data.__name__}.npz")
            flags = [flag for target in TARGETS for flag in ("-t", target)]
            arguments = ["build", folder / path, *flags, "--data", data, "--metric", "top1", "--trust"]
            _, answer, errors = edgecompile(*arguments, "-o", Path(scratch) / name.replace(" ", "_"), cwd=Path(scratch))
            if "reports" not in answer:
                sys.exit(errors)
            for report in answer["reports"]:
                found = measures(report)
                points = 100 * (found["metric"] - found["metric_float"])
                worst = min(worst, points)
                how = methods(report)["metric"]
                rows.append((
                    name, report["target"], f"{found['metric_float']:.4f}", f"{found['metric']:.4f}",
                    f"{points:+.2f}", report["status"], how,
                ))  # fmt: skip
    print(table(rows))
    print(f"worst {worst:+.2f} points (limit -{LIMIT_POINTS})")
    return 1 if worst < -LIMIT_POINTS else 0


if __name__ == "__main__":
    sys.exit(main())
