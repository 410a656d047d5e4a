"""What passes hold goes into the integers of a quantized network."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.compress.bias_room import with_room
from edgecompile.compress.integers import hold, real_weights
from edgecompile.compress.sites import bias_of, sites_of, weights_of
from edgecompile.compress.subject import Held
from edgecompile.core.errors import EdgecompileError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.libs.litert import invoke, runtimes

BIAS = np.array([0.5, -0.25, 3.0], np.float32)


def _network(dtype: str, twice: bool = False, name: str = "conv") -> Network:
    """A convolution of 2 to 3 channels; ``twice``: its weights are stored for two uses."""
    integer = dtype == "int8"
    build = NetworkBuilder()
    x = build.input("x", (1, 4, 4, 2), dtype, **({"scale": 0.5} if integer else {}))
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(3, 1, 1, 2)).astype(np.float32)
    names = (name, "again") if twice else (name,)
    stored = np.round(weights * 40).astype(np.int8) if integer else weights
    scale = {"scale": (0.025, 0.025, 0.025)} if integer else {}
    w, b = -1, -1
    outputs = []
    for number, output in enumerate(names):
        if number == 0 or integer:
            w = build.constant(f"w{number}", stored, **scale)
            step = (0.0125,) * 3
            b = (
                build.constant(f"b{number}", np.round(BIAS / 0.0125).astype(np.int32), scale=step)
                if integer
                else build.constant("b", BIAS)
            )
        y = build.tensor(output, (1, 4, 4, 3), dtype, **({"scale": 0.5} if integer else {}))
        build.op("CONV_2D", [x, w, b], [y], padding="SAME")
        outputs.append(y)
    for y in outputs:
        build.output(y)
    return build.build()


def test_held_codes_and_scales_are_in_the_integer_network_and_the_bias_follows() -> None:
    codes = np.array([[1, -1], [0, 2], [2, 0]], np.int8).reshape(3, 1, 1, 2)
    scales = np.array([0.25, 0.5, 0.125], np.float32)

    changed = hold(_network("int8"), _network("float32"), {"conv": Held(codes=codes, scales=scales)})

    (site,) = sites_of(changed)
    stored = changed.main.tensors[site.weights].quantization
    bias = bias_of(changed, site)
    assert (weights_of(changed, site) == codes).all()
    assert stored is not None and stored.scales == (0.25, 0.5, 0.125)
    # The input's scale is 0.5: 0.5/0.125, -0.25/0.25, 3/0.0625.
    assert bias is not None and bias.tolist() == [4, -1, 48]
    assert (real_weights(changed, site) == codes * scales.reshape(3, 1, 1, 1)).all()


def test_a_layer_stored_for_each_of_its_uses_is_bound_in_both() -> None:
    codes = np.ones((3, 1, 1, 2), np.int8)

    changed = hold(
        _network("int8", twice=True),
        _network("float32", twice=True),
        {"conv": Held(codes=codes, scales=np.array([0.5], np.float32))},
    )

    constants = [tensor for tensor in changed.main.tensors if tensor.name.startswith("w")]
    assert [tensor.array.tolist() for tensor in constants if tensor.array is not None] == [codes.tolist()] * 2
    assert [tensor.quantization.scales for tensor in constants if tensor.quantization] == [(0.5,)] * 2


def test_held_zeros_stay_zero_and_other_weights_stay_what_the_quantizer_made_them() -> None:
    before = _network("int8")
    zeros = np.zeros((3, 1, 1, 2), bool)
    zeros[1] = True

    changed = hold(before, _network("float32"), {"conv": Held(zeros=zeros)})

    (site,) = sites_of(changed)
    expected = np.where(zeros, 0, weights_of(before, site))
    assert (weights_of(changed, site) == expected).all()


def test_a_bias_beyond_int32_saturates() -> None:
    codes = np.zeros((3, 1, 1, 2), np.int8)
    scales = np.array([1e-12, 1.0, 1.0], np.float32)

    changed = hold(_network("int8"), _network("float32"), {"conv": Held(codes=codes, scales=scales)})

    bias = bias_of(changed, sites_of(changed)[0])
    assert bias is not None and bias[0] > 2_000_000_000


@pytest.mark.parametrize("centroids", [3, 0])
def test_codes_give_way_where_a_bias_would_not_fit_beside_faint_signals(centroids: int) -> None:
    codes = np.array([[100, -7], [0, 100], [-7, 100]], np.int8).reshape(3, 1, 1, 2)
    zeros = codes == 0
    # The input's scale is 0.5: the bias of 0.5 needs 10,000 times 2^30 steps, -0.25 a tenth, and 3 takes 1.9 of them.
    scales = np.array([0.5, -0.25, 3.0]) / (0.5 * 2.0**30 * np.array([1e4, -0.1, 1.9]))
    promise = Held(codes=codes, scales=scales.astype(np.float32), zeros=zeros, centroids=centroids)

    floats, held, changed = with_room(_network("float32"), {"conv": promise}, _network("int8"))
    made = hold(_network("int8"), floats, held)

    assert changed == {"conv"}
    (site,) = sites_of(made)
    stored, bias = weights_of(made, site).reshape(3, 2), bias_of(made, site)
    assert bias is not None and np.abs(bias).max() <= 2**30
    assert np.allclose(bias * 0.5 * np.array(held["conv"].scales, np.float64), BIAS, rtol=1e-6)
    # The channel with room keeps its codes; the others take the nearest of the codes that are there, zero among them.
    assert stored[1].tolist() == [0, 100] and held["conv"].scales[1] == promise.scales[1]
    assert stored[0].tolist() == [0, 0]
    assert stored[2].tolist() == ([-7, 100] if centroids else [-4, 53])
    assert (weights_of(floats, sites_of(floats)[0]) == real_weights(made, site)).all()


def test_codes_with_room_for_their_bias_stay_bit_for_bit() -> None:
    codes = np.ones((3, 1, 1, 2), np.int8)
    given = _network("float32")

    floats, held, changed = with_room(
        given, {"conv": Held(codes=codes, scales=np.ones(3, np.float32))}, _network("int8")
    )

    assert floats is given and not changed and held["conv"].codes is codes


def test_a_layer_that_quantization_lost_is_a_fault_of_ours() -> None:
    codes = np.zeros((3, 1, 1, 2), np.int8)
    promise = Held(codes=codes, scales=np.ones(1, np.float32))

    with pytest.raises(EdgecompileError, match="EC901"):
        hold(_network("int8", name="other"), _network("float32"), {"conv": promise})


def _table(dtype: str) -> Network:
    """Rows of a table by places, as TensorFlow's quantizer leaves them: rows and table of one scale, zero not at 0."""
    integer = dtype == "int8"
    build = NetworkBuilder()
    places = build.input("places", (1, 3), "int32")
    stored = {"scale": 0.5, "zero_point": -2} if integer else {}
    table = build.constant("table", TABLE if not integer else (TABLE / 0.5 - 2).astype(np.int8), **stored)
    rows = build.tensor("rows", (1, 3, 2), dtype, **stored)
    build.op("GATHER", [table, places], [rows])
    build.output(rows)
    return build.build()


TABLE = np.array([[0.0, 1.5], [-3.0, 6.0], [2.0, 0.0], [4.5, -1.0]], np.float32)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "promise",
    [
        pytest.param(
            Held(codes=np.array([[0, 2], [-4, 8], [3, 0], [6, -1]], np.int8), scales=np.array([0.75], np.float32)),
            id="codes",
        ),
        pytest.param(Held(zeros=np.isin(TABLE, (0.0, -1.0))), id="zeros"),
    ],
)
def test_rows_of_a_table_with_a_scale_of_its_own_come_out_with_the_scale_they_had(promise: Held) -> None:
    changed = hold(_table("int8"), _table("float32"), {"rows": promise})

    runtime = next(found for found in runtimes() if found.available)
    answer = invoke(write(changed), [np.array([[1, 3, 0]], np.int32)], runtime=runtime, real=True).arrays[0]

    (site,) = sites_of(changed)
    made = real_weights(changed, site)
    assert site.key == "rows"
    assert (made[TABLE == 0] == 0).all() and np.abs(made - TABLE).max() <= 1.0
    rows = (answer.reshape(3, 2).astype(float) + 2) * 0.5
    assert np.abs(rows - made[[1, 3, 0]]).max() <= 0.25 + 1e-6  # half a step of the rows' scale
    out = changed.main.tensors[changed.main.outputs[0]].quantization
    assert out is not None and (out.scales, out.zero_points) == ((0.5,), (-2,))
