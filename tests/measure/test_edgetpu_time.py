"""Time on the Edge TPU against published measurements, what it consists of, and what a profile must state for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from edgetpu_networks import chain, device, weighted

from edgecompile.config.profiles import load
from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import BadInputError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.measure.edgetpu.cache import allocate
from edgecompile.measure.edgetpu.crossing import Crossing, crossing_of
from edgecompile.measure.edgetpu.tiles import tile_of
from edgecompile.measure.edgetpu.timing import cycles_of, invocation, layer_times
from edgecompile.measure.prediction import Prediction, predict

NOTHING = Crossing(parts=1, input_bytes=0, output_bytes=0)


def predicted(network: Network) -> Prediction:
    (found,) = predict([(network, range(len(network.main.operators)))], load("coral"))
    return found


def measures(network: Network) -> dict[str, float | int | None]:
    return {measure.name: measure.value for measure in predicted(network).measures}


def test_cycles_fill_tiles_and_channels_of_the_array() -> None:
    network = weighted("CONV_2D", (1, 64, 64, 32), (100, 3, 3, 32), (1, 64, 64, 100), 100)

    found = cycles_of(network.main, network.main.operators[0], device().compute)

    assert found == 16 * 16 * 9 * 8 * 2


@pytest.mark.parametrize(
    "size, channels, bytes_a_tile",
    # used_narrow_memory_bytes_per_tile of public compiled models of two such convolutions
    [(64, 100, 58000), (64, 240, 139200), (64, 32, 18560)],
)
def test_a_tile_holds_what_compiled_models_say(size: int, channels: int, bytes_a_tile: int) -> None:
    network = weighted("CONV_2D", (1, size, size, channels), (channels, 3, 3, channels), (1, size, size, channels))

    tile = tile_of(network.main, network.main.operators[0], device().compute, device().layout)

    assert tile is not None
    assert tile.size_bytes(tile.rows) == bytes_a_tile


@pytest.mark.parametrize(
    "channels, parts",
    # Where the streaming time of measured convolutions jumps: between 632 and 642, and between 712 and 722 channels.
    [(250, 1), (632, 2), (642, 3), (712, 3), (722, 4), (742, 4)],
)
def test_a_large_map_is_computed_in_the_parts_that_measured_times_show(channels: int, parts: int) -> None:
    network = weighted("CONV_2D", (1, 64, 64, channels), (channels, 3, 3, channels), (1, 64, 64, channels))

    tile = tile_of(network.main, network.main.operators[0], device().compute, device().layout)

    assert tile is not None
    assert tile.parts(device().memory.tile_bytes) == parts


@pytest.mark.parametrize("channels, in_parts", [(100, False), (722, True)], ids=["whole", "in-parts"])
def test_activations_on_chip_are_those_of_one_part(channels: int, in_parts: bool) -> None:
    network = weighted("CONV_2D", (1, 64, 64, channels), (channels, 3, 3, channels), (1, 64, 64, channels))

    (found,) = (measure for measure in predicted(network).measures if measure.name == "activation_bytes")

    assert found.value is not None and found.limit is not None
    assert 0.5 * found.limit * in_parts < found.value <= found.limit
    assert ("computed in parts" in found.method) is in_parts


def test_activations_of_layers_without_maps_are_not_told_as_0() -> None:
    assert "activation_bytes" not in measures(chain([64, 64]))


@pytest.mark.parametrize(
    "units, measured_ms",
    [(1620, 7.424), (2020, 21.834), (2620, 36.028)],
)
def test_streaming_dense_layers_take_what_was_measured(units: int, measured_ms: float) -> None:
    found = measures(chain([64, units, units, units, units, 10]))["latency_ms"]

    # 7 % is what the profile states as the mean error.
    assert found == pytest.approx(measured_ms, rel=0.07)


def test_every_link_has_its_time_and_says_how_far_off_it_may_be() -> None:
    found = predicted(chain([64, 2020, 2020, 2020]))

    by_name = {measure.name: measure for measure in found.measures}
    assert by_name["latency_ms"].method == (
        "predicted: over usb3 from a desktop computer, mean error 7 % on measured hosts, 26 % on another (fitted)"
    )
    assert by_name["latency_usb2_ms"].value > by_name["latency_ms"].value  # type: ignore[operator]
    assert "latency_pcie_ms" in by_name
    assert [row["link"] for row in found.details["time by link"]] == ["usb3", "usb3_board", "usb2", "pcie"]


def test_streaming_is_hidden_behind_a_longer_computation() -> None:
    network = weighted("CONV_2D", (1, 64, 64, 64), (64, 3, 3, 64), (1, 64, 64, 64))
    memory = replace(device().memory, cache_bytes=1024)
    layers = layer_times(network.main, allocate(network.main, [0], device().layout, memory), device())
    fast = replace(device().links["usb3"], stream_bytes_per_s=1e12)

    hidden = invocation(layers, NOTHING, fast)
    shown = invocation(layers, NOTHING, replace(fast, stream_bytes_per_s=1e6))

    assert hidden.streaming_s == 0
    assert shown.streaming_s > 10 * shown.compute_s


def test_a_model_that_is_left_to_the_cpu_takes_the_hosts_time_only() -> None:
    network = chain([1000, 1000])
    link = device().links["usb3"]

    (found,) = predict([(network, [])], load("coral"))

    took = 1e3 * (1000 * link.host_element_s + 1e6 * link.host_product_s)
    assert next(m.value for m in found.measures if m.name == "latency_ms") == pytest.approx(took, abs=1e-3)
    assert found.details == {}


def test_what_stays_on_the_cpu_is_in_the_time_and_told_apart() -> None:
    network = convolutions(64, 64)
    whole, cut = (predict([(network, running)], load("coral"))[0] for running in ([0, 1], [0]))

    by_name = {measure.name: measure for measure in cut.measures}
    rows = cut.details["time by link"]
    assert "left to the CPU" in by_name["latency_ms"].method and "9 % with operators" in by_name["latency_ms"].method
    assert "error unknown with operators" in by_name["latency_usb2_ms"].method
    assert [row["error"] for row in rows] == ["9 %", "unknown", "unknown", "15 %"]
    assert "CPU" not in next(m.method for m in whole.measures if m.name == "latency_ms")
    assert by_name["latency_ms"].value > next(m.value for m in whole.measures if m.name == "latency_ms")
    parts = ("compute", "streaming", "transfers", "round trip", "CPU")
    # Each is rounded to 0.01.
    assert all(row["ms"] == pytest.approx(sum(row[part] for part in parts), abs=0.03) for row in rows)
    assert all("CPU" not in row for row in whole.details["time by link"])


def test_each_part_of_the_accelerator_pays_a_round_trip_and_its_transfers() -> None:
    network, link, map_bytes = convolutions(64, 64, 64), device().links["usb3"], 64 * 64 * 64
    (split,) = predict([(network, [0, 2])], load("coral"))

    row = split.details["time by link"][0]

    sent = 2 * map_bytes / link.input_bytes_per_s + 2 * map_bytes / link.output_bytes_per_s
    assert row["round trip"] == pytest.approx(1e3 * 2 * link.round_trip_s, abs=0.01)  # figures are rounded to 0.01
    assert row["transfers"] == pytest.approx(1e3 * sent, abs=0.01)
    method = next(m.method for m in split.measures if m.name == "latency_ms")
    assert "2 parts with a round trip each" in method and "nobody measured" in method


@pytest.mark.parametrize("running, parts", [([], 0), ([0, 1, 2], 1), ([1, 2], 1), ([0, 2], 2)], ids=str)
def test_neighbours_on_the_accelerator_are_one_part(running: list[int], parts: int) -> None:
    assert crossing_of(convolutions(64, 64, 64).main, running).parts == parts


def test_parts_are_told_only_where_there_are_several() -> None:
    (whole,) = predict([(convolutions(64, 64), [0, 1])], load("coral"))

    assert not any("parts with a round trip" in measure.method for measure in whole.measures)


def test_a_row_that_does_not_fit_is_told_with_the_compilers_words() -> None:
    network = weighted("CONV_2D", (1, 8, 40000, 64), (64, 3, 3, 64), (1, 8, 40000, 64))

    (found,) = predicted(network).diagnostics

    assert found.code == "EC552"
    assert any("large activation tensors" in note for note in found.notes)


def test_a_target_without_a_model_predicts_nothing() -> None:
    assert predict([(chain([4, 4]), [0])], load("cortex-m4")) == ()


@pytest.mark.parametrize(
    "measure, code, words",
    [
        pytest.param({"model": "edgetpo"}, "EC551", "edgetpu", id="unknown-model"),
        pytest.param({"model": "edgetpu"}, "EC550", "granule_bytes", id="no-constants"),
    ],
)
def test_a_profile_that_cannot_be_predicted_with_is_told(measure: dict[str, str], code: str, words: str) -> None:
    target = replace(load("coral"), measure=measure)

    with pytest.raises(BadInputError) as raised:
        predict([(chain([4, 4]), [0])], target)

    (found,) = raised.value.diagnostics
    assert found.code == code
    assert words in " ".join((found.message, *found.notes, *found.help))


def convolutions(*widths: int) -> Network:
    build = NetworkBuilder()
    x = build.input("x", (1, 64, 64, 64), "int8", scale=0.1)
    for name, before, after in zip("abcdef", (64, *widths), widths, strict=False):
        w = build.constant(f"w{name}", np.zeros((after, 3, 3, before), np.int8), scale=0.1)
        y = build.tensor(name, (1, 64, 64, after), "int8", scale=0.1)
        build.op("CONV_2D", [x, w], [y])
        x = y
    return build.output(x).build()


@pytest.mark.parametrize(
    "channels, cost_like, narrower", [(33, 64, None), (65, 128, 64), (140, 192, 128)], ids=["33", "65", "140"]
)
def test_channels_that_leave_the_array_idle_are_told(channels: int, cost_like: int, narrower: int | None) -> None:
    (row,) = predicted(convolutions(channels, 10)).details["channels that leave the array idle"]

    assert (row["layer"], row["channels"], row["cost like"], row["or"]) == ("a", channels, cost_like, narrower)
    full = measures(convolutions(cost_like, 10))["latency_ms"]
    assert measures(convolutions(channels, 10))["latency_ms"] == pytest.approx(full, rel=0.15)  # the second reads less


def test_what_is_saved_is_what_the_narrower_layer_saves() -> None:
    wide, narrow = (layer_ms(convolutions(channels, 10)) for channels in (65, 64))

    (row,) = predicted(convolutions(65, 10)).details["channels that leave the array idle"]

    assert row["saves ms"] == pytest.approx(wide - narrow, abs=0.0015)  # both are rounded


def layer_ms(network: Network) -> float:
    return float(predicted(network).layers[0]["ms"])


@pytest.mark.parametrize("channels", [64, 128, 120], ids=str)
def test_channels_that_fill_the_array_are_not_told(channels: int) -> None:
    assert "channels that leave the array idle" not in predicted(convolutions(channels, 10)).details


@pytest.mark.parametrize("units, told", [(1000, False), (1900, True)], ids=["small", "large"])
def test_parameters_beyond_the_least_cache_that_was_seen_are_told_to_be_at_risk(units: int, told: bool) -> None:
    found = predicted(chain([64, units, units, units]))

    (cached,) = (measure for measure in found.measures if measure.name == "cached_bytes")
    assert ("from 5.01 MiB on" in cached.method) is told


def test_channels_beyond_a_full_group_are_told_with_what_they_cost() -> None:
    found = predicted(convolutions(72, 72, 72, 10))

    (told,) = found.diagnostics
    saved = sum(row["saves ms"] for row in found.details["channels that leave the array idle"])
    assert (told.code, told.severity) == ("EC559", Severity.NOTE)
    assert told.message == "3 layers lie beyond a full group of 64 output channels"
    assert f"{saved:.3f} of " in told.notes[0] and "72 channels take as long as 128; 64 would save" in told.notes[1]
    assert any("--recipe filled" in help for help in told.help)


def test_a_gain_that_is_not_worth_a_word_is_not_told() -> None:
    # 65 of 128 channels of one small layer beside much larger ones.
    assert predicted(convolutions(64, 10)).diagnostics == ()
    assert predicted(chain([64, 65, 4000, 4000])).diagnostics == ()
