"""Start-up times beside `python -c pass`, and the build of ResNet-8 beside a hand-written TensorFlow script."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _shared import cifar10_npz, data_folder, table

RUNS = 7
BUILD_RUNS = 3
HAND_WRITTEN = """
import sys, numpy as np, tensorflow as tf, tf_keras
model_path, data_path, out = sys.argv[1:]
data = np.load(data_path)
model = tf_keras.models.load_model(model_path, compile=False)
converter = tf.lite.TFLiteConverter.from_keras_model(model)
samples = data["x_train"][:200]
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([samples[i : i + 1]] for i in range(len(samples)))
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
content = converter.convert()
open(out, "wb").write(content)
x, y = data["x_test"], data["y_test"].reshape(-1)
print("float", float((model.predict(x, verbose=0).argmax(1) == y).mean()))
runner = tf.lite.Interpreter(model_content=content)
runner.allocate_tensors()
inp, outp = runner.get_input_details()[0], runner.get_output_details()[0]
scale, zero = inp["quantization"]
hits = 0
for sample, label in zip(x, y):
    runner.set_tensor(inp["index"], np.clip(np.round(sample[None] / scale) + zero, -128, 127).astype(np.int8))
    runner.invoke()
    hits += runner.get_tensor(outp["index"]).argmax() == label
print("int8", hits / len(y))
"""


def seconds(command: list[str], runs: int, cwd: str) -> list[float]:
    """Wall-clock seconds of each run of a command; exits when one fails."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        times.append(time.perf_counter() - started)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}\n{done.stderr[-3000:]}")
    return times


def row(name: str, times: list[float]) -> tuple[str, ...]:
    """Name, median, least and greatest, in seconds."""
    return name, f"{statistics.median(times):.3f}", f"{min(times):.3f}", f"{max(times):.3f}"


def main() -> int:
    """Print both tables, everything measured on this machine in this run."""
    folder = data_folder()
    python, tool = sys.executable, [sys.executable, "-m", "edgecompile.cli"]
    small = str(folder / "cortexm" / "hello_world_int8.tflite")
    kws = str(folder / "cortexm" / "kws_ref_model.tflite")
    with tempfile.TemporaryDirectory() as scratch:
        rows: list[tuple[str, ...]] = [("command", "median s", "least", "greatest")]
        commands = {
            "python -c pass": [python, "-c", "pass"],
            "python -c 'import numpy'": [python, "-c", "import numpy"],
            "edgecompile --help": [*tool, "--help"],
            "edgecompile targets list": [*tool, "targets", "list"],
            "edgecompile check hello_world -t cortex-m4": [*tool, "check", small, "-t", "cortex-m4"],
            "edgecompile check kws -t cortex-m4": [*tool, "check", kws, "-t", "cortex-m4"],
        }
        for name, command in commands.items():
            rows.append(row(name, seconds(command, RUNS, scratch)))
        print(table(rows), flush=True)

        data = cifar10_npz(folder, Path(scratch) / "cifar10.npz")
        model = str(folder / "models" / "mlperf_ic_resnet8.h5")
        script = Path(scratch) / "by_hand.py"
        script.write_text(HAND_WRITTEN)
        ours = [*tool, "build", model, "-t", "android-nnapi", "--data", str(data), "--metric", "top1", "-o", "out"]
        by_hand = [python, str(script), model, str(data), str(Path(scratch) / "by_hand.tflite")]
        rows = [
            ("ResNet-8: load, convert to int8, score float and int8 on 5 000 images", "median s", "least", "greatest")
        ]
        pairs = [(seconds(by_hand, 1, scratch)[0], seconds(ours, 1, scratch)[0]) for _ in range(BUILD_RUNS)]
        rows.append(row("hand-written TensorFlow script", [hand for hand, _ in pairs]))
        rows.append(row("edgecompile build -t android-nnapi", [our for _, our in pairs]))
        print()
        print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
