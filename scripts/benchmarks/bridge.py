"""Every architecture of keras.applications over the bridge to tf_keras: variables randomized, outputs compared."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

import numpy as np
from _shared import table

# As the command line starts the Keras process; set before TensorFlow is imported.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_USE_LEGACY_KERAS="1", CUDA_VISIBLE_DEVICES="-1")

from edgecompile.core.errors import EdgecompileError
from edgecompile.frontend.bridge.cross import cross
from edgecompile.libs.keras import keras3, tf_keras

# The smallest that InceptionV3, InceptionResNetV2 (75) and Xception (71) take is below this.
SIZE = 96
SEED = 7


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="*", help="architectures; all when none is named")
    arguments.add_argument("--size", type=int, default=SIZE, help="height and width of the input")
    given = arguments.parse_args()
    rows, failed = [], 0
    for name in given.names or architectures():
        row, passed = measure(name, given.size)
        failed += not passed
        rows.append(row)
        print("  ".join(row), file=sys.stderr, flush=True)
    print(table([("architecture", "parameters", "layers", "as a whole", "difference", "seconds"), *rows]))
    print(f"{len(rows) - failed} of {len(rows)} carried over")
    return int(failed > 0)


def architectures() -> list[str]:
    """Names of the functions in keras.applications that build a model."""
    applications = keras3().applications
    return sorted(name for name in dir(applications) if name[0].isupper() and callable(getattr(applications, name)))


def measure(name: str, size: int) -> tuple[tuple[str, ...], bool]:
    keras3().utils.clear_session()
    tf_keras().backend.clear_session()
    started = time.monotonic()
    model = getattr(keras3().applications, name)(weights=None, input_shape=(size, size, 3), classes=10)
    randomize(model)
    parameters = str(model.count_params())
    try:
        crossed = cross(model, name)
    except EdgecompileError as reason:
        said = reason.diagnostics[0]
        return (name, parameters, "", "", f"{said.code} {said.message}", ""), False
    whole = sum(type(layer).__name__ == "HostedLayer" for layer in crossed.model.layers)
    layers = str(len(crossed.model.layers))
    seconds = f"{time.monotonic() - started:.1f}"
    return (name, parameters, layers, str(whole), f"{crossed.difference:.1e}", seconds), True


def randomize(model: Any) -> None:
    """Random values for every variable, small enough that a hundred layers neither vanish nor overflow."""
    generator = np.random.default_rng(SEED)
    for variable in model.weights:
        shape = tuple(variable.shape)
        if "int" in variable.dtype:
            continue
        if variable.name in ("moving_variance", "variance", "gamma"):
            values = generator.uniform(0.5, 1.0, shape)
        elif len(shape) > 1:
            values = generator.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
        else:
            values = 0.1 * generator.normal(size=shape)
        variable.assign(values.astype("float32"))
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization" and layer.built:
            layer.finalize_state()


if __name__ == "__main__":
    sys.exit(main())
