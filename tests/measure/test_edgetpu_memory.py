"""Constants on the Edge TPU: bytes as the real compiler wrote them, what is cached, and who shares the cache."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from edgetpu_networks import chain, device, recurrent, shaped, weighted

from edgecompile.config.profiles import load
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.legalize.check import check
from edgecompile.measure.edgetpu.cache import allocate, room_of, share
from edgecompile.measure.edgetpu.parameters import parameters_of
from edgecompile.measure.prediction import predict

# Bytes found in public compiled models (14 of them lie in the data folder), layer by layer.
REAL = [
    pytest.param(weighted("CONV_2D", (1, 64, 64, 32), (32, 3, 3, 32), (1, 64, 64, 32), 32), 9472, id="conv-32"),
    pytest.param(weighted("CONV_2D", (1, 32, 32, 232), (232, 3, 3, 232), (1, 30, 30, 232), 232), 536576, id="conv-232"),
    pytest.param(weighted("FULLY_CONNECTED", (1, 512), (10, 512), (1, 10)), 8256, id="dense-10"),
    pytest.param(weighted("FULLY_CONNECTED", (1, 9504), (10, 9504), (1, 10)), 152128, id="dense-deep"),
    pytest.param(
        weighted("DEPTHWISE_CONV_2D", (1, 64, 64, 1), (1, 7, 7, 8), (1, 64, 64, 8), 8), 3200, id="depthwise-x8"
    ),
    pytest.param(weighted("DEPTHWISE_CONV_2D", (1, 8, 8, 64), (1, 3, 3, 64), (1, 8, 8, 64)), 2560, id="depthwise"),
    pytest.param(shaped("SOFTMAX", [(1, 10)], (1, 10)), 512, id="softmax-10"),
    pytest.param(shaped("SOFTMAX", [(1, 1001)], (1, 1001)), 48256, id="softmax-1001"),
    pytest.param(shaped("SOFTMAX", [(1, 4096)], (1, 4096)), 0, id="softmax-4096"),
    pytest.param(shaped("RESHAPE", [(1, 3, 3, 1)], (1, 9)), 640, id="flatten-9"),
    pytest.param(shaped("RESHAPE", [(1, 180, 27)], (1, 4860)), 24534016, id="flatten-180x27"),  # 23.40 MiB in a log
    pytest.param(shaped("RESHAPE", [(1, 128, 128, 1)], (1, 16384)), 1088, id="flatten-128x128"),
    pytest.param(shaped("RESHAPE", [(1, 6, 6, 64)], (1, 2304)), 0, id="flatten-whole-words"),
    pytest.param(shaped("CONCATENATION", [(1, 1), (1, 1)], (1, 2)), 64, id="concatenation"),
    pytest.param(recurrent(28, 28, 20), 34944, id="lstm"),
    pytest.param(shaped("CONCATENATION", [(1, 8, 8, 4)] * 2, (1, 8, 8, 8)), 0, id="concatenation-whole-words"),
]


@pytest.mark.parametrize("network, size_bytes", REAL)
def test_constants_take_what_they_take_in_compiled_models(network: Network, size_bytes: int) -> None:
    found = parameters_of(network.main, network.main.operators[-1], device().layout)

    assert found.total_bytes == size_bytes


def test_whole_layers_are_cached_as_long_as_they_fit() -> None:
    # Four layers of 1 980 units, 3.76 MiB each by the log: 7.73 MiB of them cached, 3.75 MiB streamed.
    network = chain([64, 1980, 1980, 1980, 1980, 10])

    found = allocate(network.main, range(5), device().layout, device().memory)

    streamed = [layer.operator for layer in found.layers if layer.streamed_bytes]
    assert streamed == [3]
    assert round(found.streamed_bytes / 2**20, 2) == 3.75
    assert round(found.cached_bytes / 2**20, 1) == 7.7


@pytest.mark.parametrize(
    "size, channels, least_mib, most_mib",
    [
        # Of five such layers in a public log 6.98 MiB are cached and as many streamed.
        pytest.param(64, 632, 6.98, 7.2, id="maps of 5 MiB"),
        pytest.param(8, 632, 7.73, 7.82, id="maps of 79 KiB"),
    ],
)
def test_large_maps_leave_less_room_for_parameters(size: int, channels: int, least_mib: float, most_mib: float) -> None:
    shape = (1, size, size, channels)
    network = weighted("CONV_2D", shape, (channels, 3, 3, channels), shape)

    found = room_of(network.main, [0], device().memory) / 2**20

    assert least_mib <= found <= most_mib


def test_the_largest_maps_of_models_that_share_the_device_count_for_all() -> None:
    shape = (1, 64, 64, 64)
    wide = weighted("CONV_2D", shape, (64, 3, 3, 64), shape)
    # Two of these are 7.73 MiB, which is there without maps only.
    dense = chain([1980, 1980, 1980])

    alone = share([(dense.main, [0, 1])], device().layout, device().memory)
    together = share([(dense.main, [0, 1]), (wide.main, [0])], device().layout, device().memory)

    assert (alone[0].streamed_bytes, together[0].streamed_bytes > 0) == (0, True)


def test_a_dense_layer_of_very_many_inputs_is_streamed_and_its_biases_are_not() -> None:
    network = weighted("FULLY_CONNECTED", (1, 9504), (10, 9504), (1, 10))

    (layer,) = allocate(network.main, [0], device().layout, device().memory).layers

    assert (layer.cached_bytes, layer.streamed_bytes) == (64, 152064)


def test_models_compiled_together_share_the_cache_first_come_first_served() -> None:
    large, small = chain([1900, 1900, 1900]), chain([500, 500])
    models = [(large.main, [0, 1]), (small.main, [0])]

    together = share(models, device().layout, device().memory)
    turned = share(models[::-1], device().layout, device().memory)

    assert [cache.streamed_bytes > 0 for cache in together] == [False, False]
    tight = replace(device().memory, cache_bytes=together[0].cached_bytes)
    first, second = share(models, device().layout, tight)
    assert (first.streamed_bytes, second.cached_bytes) == (0, 0)
    assert turned[1].free_bytes == together[1].free_bytes


@pytest.mark.data
def test_parameter_bytes_of_public_pairs_are_those_of_the_compiled_models(data: Path) -> None:
    coral = load("coral")
    pairs = json.loads((data / "coral" / "ground_truth.json").read_text(encoding="utf-8"))["pairs"]
    close = 0

    for pair in pairs:
        network = read((data / "coral" / pair["file"]).read_bytes())
        verdict = check(network, coral, "model")
        running = [placed.operator for placed in verdict.placements if placed.where == "edgetpu"]
        measures = {m.name: m.value for m in predict([(network, running)], coral)[0].measures}
        true = pair["package"]["params_cached_bytes"] + pair["package"]["params_streamed_bytes"]
        # The tolerance.
        close += abs(measures["cached_bytes"] + measures["streamed_bytes"] - true) <= 0.02 * true

    assert close == len(pairs)
