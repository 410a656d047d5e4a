"""Models on an emulated ARM64 processor against this one: what is equal, and how far apart the rest is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from _shared import CHECKOUT, data_folder, edgecompile, table

from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.sparse_proof import MOST_OF_DENSE

sys.path.insert(0, str(CHECKOUT / "tests" / "legalize"))
from sparse_networks import EQUAL_PADS, Pruned

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


def pruned(zeros: float, *, padded: bool = True, half: bool = False) -> Network:
    """Six depthwise and 1x1 convolutions, the latter with this share of zeros, as pruned MobileNets have them."""
    net = Pruned(64, half=half)
    net = net.pad(*EQUAL_PADS).conv(32, 3, 2, padding="VALID") if padded else net.conv(32, 3, 2)
    for filters, stride in ((64, 1), (128, 2), (128, 1), (128, 1), (256, 2), (256, 1)):
        net = net.depthwise(3, stride).conv(filters, 1, zeros=zeros)
    return net.mean().dense(10).done()


def sparse(folder: Path) -> bool:
    """Zeros in the weights against time on ARM64, by the proof of each build; without a padded stem none."""
    rows = [("pruned model", "stored sparse", "bytes", "time, sparse to dense", "proof")]
    good = True
    for label, network, expected in (
        ("float32, no zeros", pruned(0.0), False),
        ("float32, 60 % zeros", pruned(0.6), False),
        ("float32, 75 % zeros", pruned(0.75), True),
        ("float32, 90 % zeros", pruned(0.9), True),
        ("float16, 75 % zeros", pruned(0.75, half=True), True),
        ("float32, 75 % zeros, stem `same`", pruned(0.75, padded=False), False),
    ):
        path = folder / f"{len(rows)}.tflite"
        path.write_bytes(write(network))
        code, report, stderr = edgecompile("build", path, "-t", "android-cpu", "-o", folder / f"sparse{len(rows)}")
        if code:
            sys.exit(f"{label}: {stderr[-2000:]}")
        ratio = next((one["value"] for one in report["measures"] if one["name"] == "sparse_time_ratio"), None)
        stored = any("sparse_weights" in line for line in report["details"].get("rewrites", ()))
        size = next(one["value"] for one in report["measures"] if one["name"] == "model_bytes")
        good &= stored == expected and (ratio is not None and ratio <= MOST_OF_DENSE) == expected
        proof = report["details"].get("sparse weights", "-")
        rows.append(
            (label, str(stored), f"{path.stat().st_size} -> {size}", "-" if ratio is None else str(ratio), proof)
        )
    print(table(rows))
    return good


def main() -> None:
    """MobileNetV2 and MLPerf Tiny's keyword spotting, int8 and float32, on noise; pruned models against dense ones.

    Exits 1 where something differs, or where zeros bring no time although they should.
    """
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
        print(f"by {ran['by']}\nagainst {ran['against']}\n")
        good = sparse(folder)
    sys.exit(0 if good and all(row[-1] == "True" for row in rows[1:]) else 1)


if __name__ == "__main__":
    main()
