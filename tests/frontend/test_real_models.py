"""Every trained model of the data folder loads, or is refused with the right reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.frontend.keras_model import load
from edgecompile.frontend.source import open_model
from edgecompile.libs.keras import tf_keras

pytestmark = [pytest.mark.tensorflow, pytest.mark.data, pytest.mark.slow]

# Name: parameters, as `count_params` of the same file opened by tf_keras itself gives them, and shapes.
MODELS = {
    "kws_dscnn.h5": (24908, (49, 10, 1), (12,)),
    "mlperf_ad01.h5": (269992, (640,), (640,)),
    "mlperf_ic_resnet8.h5": (78666, (32, 32, 3), (10,)),
    "mlperf_kws_saved_model": (24908, (49, 10, 1), (12,)),
    "mlperf_streaming_wakeword.h5": (47707, (30, 1, 40), (3,)),
    "mlperf_vww96_mobilenetv1_025.h5": (221794, (96, 96, 3), (2,)),
    "mltk_audio_example1.h5": (7186, (59, 49, 1), (6,)),
    "mltk_autoencoder.h5": (10484, (140,), (140,)),
    "mltk_magic_wand.h5": (4300, (128, 3, 1), (4,)),
    "st_miniresnet_1stack.h5": (126922, (64, 50, 1), (10,)),
    "st_yamnet_256.h5": (137674, (64, 96, 1), (10,)),
    "tinymaix_cifar10.h5": (90090, (32, 32, 3), (10,)),
    "tinymaix_mnist_arduino.h5": (318, (28, 28, 1), (10,)),
    "tinymaix_mnist_dw.h5": (1546, (28, 28, 1), (10,)),
    "tinymaix_mnist_resnet.h5": (22930, (28, 28, 1), (10,)),
    "tinymaix_mnist_valid.h5": (1786, (28, 28, 1), (10,)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_trained_model_loads_and_computes_what_keras_computes(name: str, data: Path) -> None:
    parameters, given, gives = MODELS[name]

    found = load(open_model(name, data / "models"), None, False, data)

    assert found.parameters == parameters
    assert [spec.shape[1:] for spec in found.inputs] == [given]
    assert [spec.shape[1:] for spec in found.outputs] == [gives]
    assert found.diagnostics == ()
    values = np.random.default_rng(0).normal(size=(2, *given)).astype("float32")
    reference = tf_keras().models.load_model(data / "models" / name, compile=False)
    np.testing.assert_array_equal(found.model(values, training=False), reference(values, training=False))


def test_every_model_of_the_folder_is_in_the_table(data: Path) -> None:
    assert {path.name for path in (data / "models").iterdir()} == {*MODELS, "weights_only.h5"}


def test_the_file_of_weights_only_is_refused(data: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        load(open_model("weights_only.h5", data / "models"), None, False, data)

    assert caught.value.diagnostics[0].code == "EC208"
