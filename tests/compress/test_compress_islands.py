"""Operators with 16-bit activations inside an int8 network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quantized_networks import INT8, context, floats, integers, samples

from edgecompile.cli.main import main
from edgecompile.compress.context import Context, Samples, Score
from edgecompile.compress.islands import surroundings, with_islands
from edgecompile.compress.passes.mixed_precision import MixedPrecision
from edgecompile.compress.record import measure
from edgecompile.compress.simulate.quantizers import real
from edgecompile.compress.simulate.run import reals, run
from edgecompile.compress.sites import sites_of, weights_of, with_constants
from edgecompile.compress.subject import Held, Subject
from edgecompile.convert.requantize import requantize
from edgecompile.core.errors import EdgecompileError
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read_file
from edgecompile.ir.writer import write
from edgecompile.libs import litert

pytestmark = pytest.mark.tensorflow
MICRO = litert.choose("tflite-micro")
needs_micro = pytest.mark.skipif(not MICRO.available, reason="tflite-micro is not installed")
WIDE = replace(INT8, numerics="int16x8", io_dtype="int16")


@cache
def networks() -> tuple[Network, Network]:
    """The small network in int8, and in int16x8."""
    given = context()
    return given.quantize(floats()), wide(floats())


def wide(network: Network) -> Network:
    return requantize(network, WIDE, samples(32, seed=3).x, "model", lenient=True)


def kinds(network: Network) -> list[str]:
    main = network.main
    return [f"{one.name} {main.tensors[one.outputs[0]].dtype}" for one in main.operators]


def test_an_operator_stands_between_two_quantize() -> None:
    made, taken = with_islands(*networks(), ["point"])

    assert taken == ("point",)
    assert kinds(made) == [
        "CONV_2D int8", "DEPTHWISE_CONV_2D int8",
        "QUANTIZE int16", "CONV_2D int16", "QUANTIZE int8",
        "MEAN int8", "FULLY_CONNECTED int8",
    ]  # fmt: skip
    (site,) = (one for one in sites_of(made) if "point" in one.names)
    assert made.main.tensors[site.weights].dtype == "int8"
    assert site.bias is not None and made.main.tensors[site.bias].dtype == "int64"


def test_a_value_stays_wide_between_neighbours_and_what_nobody_reads_is_left_out() -> None:
    integer, sixteen = networks()

    names = surroundings(integer, "point")
    made, taken = with_islands(integer, sixteen, names)

    assert names == taken == ("point", "mean")
    assert kinds(made)[2:] == ["QUANTIZE int16", "CONV_2D int16", "MEAN int16", "QUANTIZE int8", "FULLY_CONNECTED int8"]


def test_ends_keep_their_names_and_numbers() -> None:
    integer, sixteen = networks()

    made, taken = with_islands(integer, sixteen, ["first", "deep", "point", "mean", "y"])

    assert len(taken) == 5
    for before, after in ((integer.main.inputs, made.main.inputs), (integer.main.outputs, made.main.outputs)):
        one, other = integer.main.tensors[before[0]], made.main.tensors[after[0]]
        assert (one.name, one.dtype, one.quantization) == (other.name, other.dtype, other.quantization)


def test_float_ends_are_read_and_made_from_16_bits() -> None:
    scheme = replace(INT8, io_dtype="float32")
    integer = requantize(floats(), scheme, samples(32, seed=3).x)

    made, _ = with_islands(integer, networks()[1], ["first", "deep", "point", "mean", "y"])

    assert kinds(made)[0] == "QUANTIZE int16" and kinds(made)[-1] == "DEQUANTIZE float32"
    assert [kind for kind in kinds(made) if kind.endswith(" int8")] == []


def test_what_has_no_twin_of_16_bits_stays_as_it_is() -> None:
    integer, _ = networks()

    made, taken = with_islands(integer, integer, ["point"])

    assert made is integer and taken == ()


@needs_micro
@pytest.mark.parametrize(
    "names", [("point",), ("first", "deep"), ("mean", "y"), ("first", "deep", "point", "mean", "y")]
)
def test_the_simulation_is_what_the_interpreter_computes(names: Sequence[str]) -> None:
    made, _ = with_islands(*networks(), names)
    some = samples(32, seed=5)

    answer = litert.invoke(write(made), list(some.x), runtime=MICRO, real=True)
    simulated = run(made, reals(made, some.x))[0][0]

    end = made.main.tensors[made.main.outputs[0]]
    computed = real(end, np.asarray(answer.arrays[0]))
    apart = np.abs(simulated.reshape(-1) - computed.reshape(-1)) / end.quantization.scales[0]  # type: ignore[union-attr]
    assert np.mean(apart <= 1.25) >= 0.99


def uneven() -> Subject:
    """A channel of `point` is so large that 8 bits have nothing left for the others, which alone count behind it."""
    network = floats()
    sites = {site.key: site for site in sites_of(network)}
    point, last = weights_of(network, sites["point"]).copy(), weights_of(network, sites["y"]).copy()
    biases = network.main.tensors[sites["point"].bias].array.copy()  # type: ignore[index,union-attr]
    point[0], biases[0], last[:, 0] = 400 * np.abs(point[0]), 400.0, 0.0
    constants = {sites["point"].weights: point, sites["point"].bias: biases, sites["y"].weights: last}
    changed = with_constants(network, constants)  # type: ignore[arg-type]
    return Subject(network=changed, teacher=changed)


def judged(subject: Subject, **changes: Any) -> Context:
    def error(outputs: Sequence[Any], some: Samples) -> float:
        wanted = run(subject.network, some.x)[0][0]
        return float(np.square(outputs[0] - wanted).mean() / np.square(wanted).mean())

    labelled = Samples(x=samples(64, seed=2).x, y=(np.zeros(64),))
    return context(
        score=Score(name="error", of=error, higher_is_better=False),
        validation=labelled,
        **{"quantize_wide": wide, **changes},
    )


def test_16_bits_are_enough_where_a_range_is_too_wide_for_8() -> None:
    begun = uneven()
    given = judged(begun)
    subject = integers(given, begun)
    before = given.score.of(run(subject.network, reals(subject.network, given.validation.x))[0], given.validation)  # type: ignore[union-attr,arg-type]
    step = MixedPrecision(max_drop=before / 4)

    after = step.run(subject, given)

    assert any(kind.endswith(" int16") for kind in kinds(after.network))
    assert not any(kind.endswith("float32") for kind in kinds(after.network))
    assert step.ensures(subject, after) == ()
    assert any("16-bit activations" in said.message for said in given.diagnostics if said.code == "EC347")


def test_held_values_are_in_the_weights_of_wide_operators_too() -> None:
    begun = uneven()
    (site,) = (one for one in sites_of(begun.network) if one.key == "point")
    weights = weights_of(begun.network, site)
    scales = (np.abs(weights).reshape(4, -1).max(axis=1) / 3).astype(np.float32)
    codes = np.clip(np.round(weights / scales[:, None, None, None]), -3, 3).astype(np.int8)
    held = {"point": Held(codes=codes, scales=scales)}
    shared = with_constants(begun.network, {site.weights: codes * scales[:, None, None, None]})
    begun = Subject(network=shared, held=held, teacher=shared)
    given = judged(begun)
    subject = integers(given, begun)

    made, _ = MixedPrecision(wider="int16")._ways(subject, begun, given)["int16"](["point"])

    (after,) = (one for one in sites_of(made) if "point" in one.names)
    assert np.array_equal(weights_of(made, after), codes)


@pytest.mark.parametrize("wider, lacking", [("int16", "quantize_wide"), ("float", "quantize_partly")])
def test_a_width_that_a_target_lacks_is_refused(wider: str, lacking: str) -> None:
    begun = uneven()
    given = judged(begun, **{lacking: None})

    with pytest.raises(EdgecompileError, match="EC346"):
        MixedPrecision(wider=wider).run(integers(given, begun), given)


def test_what_is_counted_is_what_is_emitted() -> None:
    integer, sixteen = networks()
    forms = {"packed": ("dense", "shared4")}
    begun = Subject(network=floats(), teacher=floats())
    made, _ = with_islands(integer, sixteen, ["point"])
    partly = context().quantize(floats(), ["point"])  # type: ignore[call-arg]

    plain = [measure("", replace(begun, network=one, origin=begun), {"all": ("dense",)}, None, 0.0).stored_bytes["all"]
             for one in (integer, made, partly)]  # fmt: skip
    packed = measure("", replace(begun, network=made, origin=begun), forms, None, 0.0).stored_bytes["packed"]

    as_packed = measure("", replace(begun, network=integer, origin=begun), forms, None, 0.0).stored_bytes["packed"]
    # 24 weights take 32 bytes in the C library, 96 in float.
    assert plain == [plain[0], plain[0], plain[0] + 4 * 24 - 32]
    assert plain[0] >= packed >= as_packed


def test_16_bits_are_not_made_wider() -> None:
    begun = uneven()
    given = judged(begun, quantize_partly=None, quantize_wide=None)
    subject = replace(integers(given, begun), network=networks()[1])

    with pytest.raises(EdgecompileError, match="EC346: activations have 16 bits already"):
        MixedPrecision().run(subject, given)


@needs_micro
def test_a_build_for_a_microcontroller_computes_the_same_in_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, draw = uneven(), np.random.default_rng(0)
    (tmp_path / "m.tflite").write_bytes(write(begun.network))
    x = draw.normal(size=(400, 8, 8, 3)).astype(np.float32)
    wanted = run(begun.network, [x])[0][0].argmax(-1)
    np.savez(tmp_path / "d.npz", x_train=x[:300], y_train=wanted[:300], x_test=x[300:], y_test=wanted[300:])
    (tmp_path / "r.toml").write_text('schema = 1\nsteps = [{ pass = "mixed_precision", max_drop = 0.02 }]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(tmp_path / "cache"))

    code = main(["build", "m.tflite", "-t", "cortex-m4", "--data", "d.npz", "--metric", "top1", "--numerics", "int8",
                 "--recipe", "r.toml", "--emit", "tflite,c_library"])  # fmt: skip

    assert code == 0
    network = read_file(tmp_path / "build/cortex-m4/m.tflite")
    assert {"QUANTIZE int16", "QUANTIZE int8"} <= set(kinds(network))
    assert "C equals" in (tmp_path / "build/cortex-m4/report.txt").read_text()
