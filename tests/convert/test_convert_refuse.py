from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_models import noise, of_layers

from edgecompile.convert.convert import convert
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import EdgecompileError, RejectedError
from edgecompile.core.recipe import Scheme
from edgecompile.libs.keras import tensorflow, tf_keras

pytestmark = pytest.mark.tensorflow

INT8 = Scheme(numerics="int8", io_dtype="int8")
INT16 = Scheme(numerics="int16x8", io_dtype="int16")
FLOAT = Scheme(numerics="float32", io_dtype="float32")
DYNAMIC = Scheme(numerics="dynamic", io_dtype="float32")


def refused(model: Any, scheme: Scheme, samples: Any = None) -> Diagnostic:
    with pytest.raises(RejectedError) as raised:
        convert(model, scheme, samples, 0)
    (diagnostic,) = raised.value.diagnostics
    text = diagnostic.render()
    assert "Traceback" not in text and "loc(" not in text
    assert len(text.splitlines()) < 16
    assert diagnostic.help
    return diagnostic


def function(body: Any, name: str) -> Any:
    return tf_keras().layers.Lambda(body, name=name)


@pytest.mark.parametrize("scheme", [FLOAT, INT8, INT16, DYNAMIC], ids=lambda scheme: scheme.label)
def test_an_operation_without_a_tflite_operator_is_named_with_its_layer(scheme: Scheme) -> None:
    model = of_layers((4, 4), function(lambda x: tensorflow().linalg.inv(x), "inverse"))

    diagnostic = refused(model, scheme, (noise(4, 4, 4),))

    assert diagnostic.code == "EC406"
    assert "`MatrixInverse`" in diagnostic.message
    assert str(diagnostic.location) == "layer `inverse`"


@pytest.mark.parametrize("scheme", [INT8, INT16], ids=lambda scheme: scheme.label)
def test_operators_left_in_float_are_listed_with_their_layers(scheme: Scheme) -> None:
    model = of_layers(
        (4,),
        tf_keras().layers.Dense(4),
        function(lambda x: tensorflow().sin(x), "wave"),
        function(lambda x: tensorflow().cumsum(x, -1), "total"),
    )

    diagnostic = refused(model, scheme, (noise(4, 4),))

    assert diagnostic.code == "EC407"
    assert str(diagnostic.location) == "layer `wave`"
    assert diagnostic.notes[1:] == ("`SIN` of layer `wave`", "`CUMSUM` of layer `total`")
    assert diagnostic.consequences == 1


def test_a_layer_that_draws_random_numbers_is_told_as_such() -> None:
    flat = tf_keras().Input((4,))
    model = tf_keras().Model(flat, tf_keras().layers.Dropout(0.5)(flat, training=True))

    diagnostic = refused(model, INT8, (noise(4, 4),))

    assert diagnostic.code == "EC407"
    assert "`training=True`" in diagnostic.help[0]


def test_lstm_has_no_int16_form() -> None:
    diagnostic = refused(of_layers((3, 4), tf_keras().layers.LSTM(3, name="memory")), INT16, (noise(4, 3, 4),))

    assert diagnostic.code == "EC407"
    assert "`UNIDIRECTIONAL_SEQUENCE_LSTM` of layer `memory`" in diagnostic.notes


@pytest.mark.parametrize("scheme", [INT8, INT16], ids=lambda scheme: scheme.label)
@pytest.mark.parametrize("kind", ["GRU", "SimpleRNN"])
def test_a_loop_is_refused_before_it_takes_the_quantizer_down(kind: str, scheme: Scheme) -> None:
    model = of_layers((3, 4), getattr(tf_keras().layers, kind)(3, name="loop"))

    diagnostic = refused(model, scheme, (noise(4, 3, 4),))

    assert diagnostic.code == "EC408"
    assert str(diagnostic.location) == "layer `loop`"
    assert "`unroll=True`" in diagnostic.help[0]


def test_a_nested_loop_is_named() -> None:
    keras = tf_keras()
    inner = keras.Sequential([keras.Input((3, 4)), keras.layers.SimpleRNN(2, name="deep")], name="inner")

    diagnostic = refused(of_layers((3, 4), inner), INT8, (noise(4, 3, 4),))

    assert diagnostic.code == "EC408"
    assert "deep" in str(diagnostic.location)


@pytest.mark.parametrize("scheme", [FLOAT, INT8], ids=lambda scheme: scheme.label)
def test_state_between_calls_is_named(scheme: Scheme) -> None:
    keras = tf_keras()
    given = keras.Input((3, 4), batch_size=1)
    model = keras.Model(given, keras.layers.LSTM(3, stateful=True, name="keeper")(given))

    diagnostic = refused(model, scheme, (noise(4, 3, 4),))

    assert diagnostic.code == "EC409"
    assert str(diagnostic.location) == "layer `keeper`"


def test_an_unknown_dimension_is_named() -> None:
    diagnostic = refused(of_layers((None, 4), tf_keras().layers.Dense(3)), FLOAT)

    assert diagnostic.code == "EC405"
    assert "[None, None, 4]" in diagnostic.notes[0]


def test_text_is_refused() -> None:
    model = of_layers((1,), function(lambda x: tensorflow().strings.length(x), "length"), dtype="string")

    assert refused(model, FLOAT).code == "EC412"


def test_a_model_for_one_batch_size_only_says_so() -> None:
    model = of_layers((4,), function(lambda x: tensorflow().reshape(x, [32, 4]), "fixed"))

    diagnostic = refused(model, FLOAT)

    assert diagnostic.code == "EC410"
    assert "one sample at a time" in diagnostic.help[0]


@pytest.mark.parametrize("calibration", ["percentile", "mse"])
def test_an_activation_that_is_no_number_is_named(calibration: str) -> None:
    model = of_layers((4,), function(lambda x: tensorflow().math.log(x) * 2.0, "logarithm"))
    scheme = Scheme(numerics="int8", io_dtype="int8", calibration=calibration)

    diagnostic = refused(model, scheme, (noise(4, 4),))

    assert diagnostic.code == "EC413"
    assert str(diagnostic.location) == "layer `logarithm`"


def test_an_overflow_is_seen_with_min_and_max_too() -> None:
    keras = tf_keras()
    model = of_layers((4,), keras.layers.Dense(3, kernel_initializer=keras.initializers.Constant(3e38), name="big"))

    assert refused(model, INT8, (np.full((4, 4), 100, np.float32),)).code == "EC413"


def test_an_input_without_effect_is_named() -> None:
    keras = tf_keras()
    used, idle = keras.Input((4,), name="used"), keras.Input((4,), name="idle")
    model = keras.Model([used, idle], keras.layers.Lambda(lambda pair: pair[0] * 2.0)([used, idle]))

    diagnostic = refused(model, INT8, (noise(4, 4), noise(4, 4)))

    assert diagnostic.code == "EC414"
    assert str(diagnostic.location) == "layer `idle`"


def test_integers_without_samples_are_refused() -> None:
    with pytest.raises(EdgecompileError) as raised:
        convert(of_layers((4,), tf_keras().layers.Dense(3)), INT8, None, 0)

    assert raised.value.diagnostics[0].code == "EC402"
