"""Models on an emulated ARM64 processor against this one: what is equal, and how far apart the rest is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from _shared import data_folder, edgecompile, table

MOBILENET = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tf_keras
tf_keras.utils.set_random_seed(0)
model = tf_keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=10)
# Untrained, but with the statistics of its own activations: without them values fade to nothing.
for layer in model.layers:
    if isinstance(layer, tf_keras.layers.BatchNormalization):
        layer.momentum = 0.0
import numpy as np
model(np.random.default_rng(0).uniform(-1, 1, (32, 96, 96, 3)).astype("float32"), training=True)
model.save(sys.argv[1])
"""


def main() -> None:
    """MobileNetV2 and MLPerf Tiny's keyword spotting, int8 and float32, on noise; exits 1 where something differs."""
    os.environ.setdefault("EDGECOMPILE_CACHE", str(Path(tempfile.gettempdir()) / "edgecompile-bench"))
    data = data_folder() / "tflite"
    subprocess.run([sys.executable, "-m", "edgecompile.cli", "doctor", "--install", "arm64"], check=True)
    rows = [("model", "kernels", "output", "difference", "unit", "bound", "holds")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keras = folder / "mobilenet_v2.keras"
        subprocess.run([sys.executable, "-c", MOBILENET, str(keras)], check=True)
        for model, label, flags in (
            (keras, "MobileNetV2 0.35 96 int8", ("-t", "android-nnapi", "--numerics", "int8", "--random-calibration")),
            (keras, "MobileNetV2 0.35 96 float32", ("-t", "android-cpu", "--numerics", "float32")),
            (next(data.glob("mlcommons__tiny__*kws_ref_model.tflite")), "KWS int8", ("-t", "android-nnapi")),
            (next(data.glob("mlcommons__tiny__*kws_ref_model_float32.tflite")), "KWS float32", ("-t", "android-cpu")),
        ):
            place = folder / label.replace(" ", "-")
            code, answer, stderr = edgecompile("build", model, *flags, "-o", place)
            if code:
                sys.exit(f"{label} could not be built: {json.dumps(answer)[-2000:]}\n{stderr[-2000:]}")
            code, ran, stderr = edgecompile("run", next(place.glob("*/report.json")).parent, "--on", "arm64")
            if code:
                sys.exit(f"{label}: {json.dumps(ran)[-2000:]}\n{stderr[-2000:]}")
            for kernels, outputs in ran["compared"].items():
                for one in outputs:
                    holds = one["difference"] <= one["bound"]
                    figures = (f"{one['difference']:.3g}", one["unit"], f"{one['bound']:.3g}", str(holds))
                    rows.append((label, kernels, one["name"][:24], *figures))
    print(table(rows))
    print(f"by {ran['by']}\nagainst {ran['against']}")
    sys.exit(0 if all(row[-1] == "True" for row in rows[1:]) else 1)


if __name__ == "__main__":
    main()
