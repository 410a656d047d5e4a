"""More than 8 bits for some operators: which targets have it, told before anything is loaded, by `check` too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgecompile.cli.main import main
from edgecompile.compress.wider import demand_wider, widths_of
from edgecompile.config.profiles import load
from edgecompile.core.errors import RejectedError
from edgecompile.core.recipe import Recipe, Scheme, Step
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.writer import write

INT8, WIDE = Scheme(numerics="int8", io_dtype="int8"), Scheme(numerics="int16x8", io_dtype="int16")


def recipe(wider: str = "auto") -> Recipe:
    """One step that spares operators the 8 bits."""
    return Recipe(steps=(Step(name="mixed_precision", options={"wider": wider}),))


@pytest.mark.parametrize(
    ("targets", "chosen"),
    [
        pytest.param(["cortex-m4"], ("int16", "float"), id="microcontroller"),
        pytest.param(["android-cpu"], ("float",), id="phone"),
        pytest.param(["cortex-m4", "android-cpu"], ("float",), id="both"),
        pytest.param(["coral"], (), id="edge-tpu"),
        pytest.param(["cortex-m4", "coral"], (), id="one-that-has-nothing"),
    ],
)
def test_what_every_target_has_is_left_to_choose_from(targets: list[str], chosen: tuple[str, ...]) -> None:
    assert widths_of([load(name) for name in targets]).chosen("auto") == chosen


def test_a_target_that_has_nothing_wider_is_named_with_the_step() -> None:
    targets = [load("cortex-m4"), load("coral")]

    with pytest.raises(RejectedError) as caught:
        demand_wider(recipe(), targets, [INT8, INT8])

    (told,) = caught.value.diagnostics
    assert told.code == "EC346"
    assert told.message.startswith("`coral` computes no operator of an int8 network in anything but int8")
    assert told.notes[1:] == ("with 16-bit activations: not on `coral`", "in float: not on `coral`")
    assert "step 1" in str(told.location)


def test_what_all_targets_have_instead_is_the_help() -> None:
    with pytest.raises(RejectedError) as caught:
        demand_wider(recipe("int16"), [load("android-cpu")], [INT8])

    (told,) = caught.value.diagnostics
    assert told.message.startswith("`android-cpu` computes no operator of an int8 network with 16-bit activations")
    assert told.help[0] == 'take what every target has: `wider = "float"`'


def test_16_bits_throughout_are_told_with_the_target() -> None:
    with pytest.raises(RejectedError) as caught:
        demand_wider(recipe(), [load("cortex-m4"), load("cortex-m7")], [WIDE, INT8])

    assert caught.value.diagnostics[0].notes[0].endswith("found: int16x8 for `cortex-m4`")


def test_a_recipe_that_spares_nothing_is_let_through() -> None:
    demand_wider(Recipe(steps=(Step(name="cluster", options={}),)), [load("coral")], [INT8])
    demand_wider(recipe(), [load("cortex-m4")], [INT8])


@pytest.mark.parametrize("command", ["check", "build"])
def test_a_target_without_anything_wider_is_told_before_the_model_is_looked_at(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.tflite").write_bytes(floats())
    Path("r.toml").write_text('schema = 1\nsteps = [{ pass = "mixed_precision" }]\n')

    code = main([command, "m.tflite", "-t", "coral", "--recipe", "r.toml", "--json"])

    said = json.loads(capsys.readouterr().out)["diagnostics"]
    assert code == 1
    assert [one["code"] for one in said] == ["EC346"]
    assert "`coral`" in said[0]["message"]


@pytest.mark.parametrize(("target", "told"), [("android-cpu", True), ("android-nnapi-30", True), ("cortex-m4", False)])
def test_16_bits_inside_a_file_are_told_where_a_runtime_refuses_them(
    target: str,
    told: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.tflite").write_bytes(islands())

    main(["check", "m.tflite", "-t", target, "--json"])

    said = [one for one in json.loads(capsys.readouterr().out)["diagnostics"] if one["code"] == "EC511"]
    assert bool(said) == told
    assert all(one["location"]["operator"] == 0 and one["severity"] == "warning" for one in said)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["--numerics", "int8"], "`--numerics` has no effect", id="one"),
        pytest.param(["--numerics", "int8", "--io-dtype", "uint8"], "`--numerics` and `--io-dtype` have no", id="two"),
        pytest.param([], None, id="none"),
    ],
)
def test_flags_of_a_conversion_are_told_to_have_no_effect_on_a_converted_file(
    words: list[str],
    told: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.tflite").write_bytes(floats())

    code = main(["check", "m.tflite", "-t", "cortex-m4", "--json", *words])

    said = [one for one in json.loads(capsys.readouterr().out)["diagnostics"] if one["code"] == "EC289"]
    assert code == 0
    assert [one["message"].startswith(told or "-") for one in said] == ([True] if told else [])


def floats() -> bytes:
    """One dense layer in float."""
    build = NetworkBuilder()
    x, y = build.input("x", (1, 8), "float32"), build.tensor("y", (1, 4), "float32")
    weights, bias = build.constant("w", np.ones((4, 8), np.float32)), build.constant("b", np.zeros(4, np.float32))
    build.op("FULLY_CONNECTED", [x, weights, bias], [y], fused_activation_function="NONE")
    return write(build.output(y).build())


def islands() -> bytes:
    """A dense layer with 16-bit activations between 8-bit ends."""
    build = NetworkBuilder()
    x = build.input("x", (1, 8), "int8", scale=0.1, zero_point=0)
    wide = build.tensor("x16", (1, 8), "int16", scale=0.0005, zero_point=0)
    made = build.tensor("y16", (1, 4), "int16", scale=0.0005, zero_point=0)
    y = build.tensor("y", (1, 4), "int8", scale=0.1, zero_point=0)
    weights = build.constant("w", np.ones((4, 8), np.int8), scale=0.01, zero_point=0)
    bias = build.constant("b", np.zeros(4, np.int64), scale=0.000005, zero_point=0)
    build.op("QUANTIZE", [x], [wide])
    build.op("FULLY_CONNECTED", [wide, weights, bias], [made], fused_activation_function="NONE")
    build.op("QUANTIZE", [made], [y])
    return write(build.output(y).build())
