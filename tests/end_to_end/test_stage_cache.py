"""What was found out before is not found out again, and what depends on a change is."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipeline_networks import project, samples, targets_of

from edgecompile.cache.store import Store
from edgecompile.core.project import Budget, DataSpec, Project
from edgecompile.core.recipe import Recipe, Scheme, Step
from edgecompile.core.report import Report
from edgecompile.emit.output import without_durations
from edgecompile.libs import child
from edgecompile.pipeline import build, check

TARGETS = ("coral", "cortex-m4", "android-nnapi")


class Heard:
    """A listener that keeps what each stage works on, and its line."""

    def __init__(self) -> None:
        self.details: list[tuple[str, str]] = []
        self.lines: list[tuple[str, str]] = []
        self._stage = ""

    def begin(self, stage: str, detail: str) -> None:
        self._stage = stage
        self.details.append((stage, detail))

    def update(self, done: int, total: int, what: str) -> None:
        pass

    def end(self, summary: str) -> None:
        self.lines.append((self._stage, summary))

    def cached(self) -> set[str]:
        return {stage for stage, line in self.lines if line.endswith("cached")}


def built(wanted: Project, cache: Path) -> tuple[tuple[Report, ...], Heard, Store]:
    heard, store = Heard(), Store(folder=cache, limit_bytes=1 << 30)
    return build(wanted, targets_of(wanted), heard, store=store), heard, store


@pytest.fixture()
def no_child(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when it is called on, no process may be started to run a function."""

    def refuse(function: str, *rest: Any, **more: Any) -> Any:
        raise AssertionError(f"{function} was called")

    return lambda: monkeypatch.setattr(child, "call", refuse)


def outputs(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("report.json", "report.html")  # they tell of all stages and their times
    }


@pytest.mark.micro
def test_an_unchanged_build_runs_nothing_again_and_gives_the_same(tmp_path: Path, no_child: Callable[[], None]) -> None:
    wanted = project(tmp_path, targets=TARGETS)
    first, _, _ = built(wanted, tmp_path / "cache")
    before = outputs(tmp_path / "build")

    no_child()
    again, heard, _ = built(dataclasses.replace(wanted, output=tmp_path / "other"), tmp_path / "cache")

    assert outputs(tmp_path / "other") == before
    assert [report.status for report in again] == [report.status for report in first]
    assert {"Verify", "Verify C"} <= heard.cached()


@pytest.mark.micro
def test_a_changed_budget_verifies_nothing_again(tmp_path: Path, no_child: Callable[[], None]) -> None:
    wanted = project(tmp_path)
    built(wanted, tmp_path / "cache")

    no_child()
    (report,), _, _ = built(dataclasses.replace(wanted, budget=Budget(ram_bytes=100_000)), tmp_path / "cache")

    assert next(measure.limit for measure in report.measures if measure.name == "ram_bytes") == 100_000


@pytest.mark.micro
def test_another_seed_verifies_held_out_samples_not_again(tmp_path: Path, no_child: Callable[[], None]) -> None:
    wanted = project(tmp_path, data=DataSpec(source=samples(tmp_path / "data.npz")))
    built(wanted, tmp_path / "cache")

    no_child()
    _, heard, _ = built(dataclasses.replace(wanted, seed=7), tmp_path / "cache")

    assert {"Verify", "Verify C"} <= heard.cached()


@pytest.mark.micro
def test_other_samples_are_verified_and_another_target_beside_is_not(tmp_path: Path) -> None:
    wanted = project(tmp_path, data=DataSpec(source=samples(tmp_path / "data.npz")))
    built(wanted, tmp_path / "cache")
    _, beside, _ = built(dataclasses.replace(wanted, targets=("cortex-m4", "cortex-m7")), tmp_path / "cache")
    samples(tmp_path / "data.npz", count=24)

    _, heard, _ = built(wanted, tmp_path / "cache")

    verified = [line for stage, line in beside.lines if stage == "Verify"]
    assert [line.endswith("cached") for line in verified] == [True, True]  # both are judged by the same interpreter
    assert "Verify" not in heard.cached()


@pytest.mark.micro
def test_every_damaged_entry_is_told_and_made_anew(tmp_path: Path) -> None:
    wanted = project(tmp_path)
    built(wanted, tmp_path / "cache")
    before = outputs(tmp_path / "build")
    for entry in (tmp_path / "cache").rglob("*.entry"):
        entry.write_bytes(entry.read_bytes()[:-1])

    _, heard, store = built(wanted, tmp_path / "cache")
    _, after, whole = built(wanted, tmp_path / "cache")

    assert outputs(tmp_path / "build") == before
    assert (list(store.said), heard.cached()) == (["EC822"], set())
    assert (list(whole.said), {"Verify", "Verify C"} <= after.cached()) == ([], True)


MAKE = """
import keras
keras.utils.set_random_seed(1)
x = keras.Input((8, 8, 1), name="image")
y = keras.layers.Conv2D(4, 3, activation="relu")(x)
y = keras.layers.GlobalAveragePooling2D()(y)
def model():
    return keras.Model(x, keras.layers.Dense(4, activation="softmax")(y))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Keras model, data and a module of the user's that imports another."""
    folder = tmp_path_factory.mktemp("cached")
    (folder / "make.py").write_text(MAKE)
    (folder / "custom.py").write_text("import beside\n")
    (folder / "beside.py").write_text("VALUE = 1\n")
    script = f"{MAKE}\nmodel().save({str(folder / 'net.keras')!r})"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    draw = np.random.default_rng(5)
    x, y = draw.random((96, 8, 8, 1), dtype=np.float32), draw.integers(0, 4, 96)
    np.savez(folder / "data.npz", x_train=x[:64], y_train=y[:64], x_test=x[64:], y_test=y[64:])
    return folder


@pytest.fixture()
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The numerics that the Keras process is asked for, at each call of it."""
    calls: list[list[str]] = []
    usual = child.call

    def listening(function: str, arguments: dict[str, Any], **more: Any) -> Any:
        if function == "edgecompile.keras_process:lower":
            schemes = [Scheme(**plain) for plain in arguments["schemes"]]
            calls.append([scheme.io_dtype for scheme in schemes if scheme.label in arguments["wanted"]])
        return usual(function, arguments, **more)

    monkeypatch.setattr(child, "call", listening)
    return calls


def keras_project(place: Path, folder: Path, *targets: str, **more: Any) -> Project:
    data = DataSpec(source="data.npz", calibration_samples=16)
    given = {"model": "net.keras", "base": place, "targets": targets, "output": folder / "build", "data": data, **more}
    return Project(**given)


@pytest.mark.tensorflow
def test_only_the_scheme_that_is_new_is_converted(place: Path, tmp_path: Path, asked: list[list[str]]) -> None:
    cache = tmp_path / "cache"
    _, first, _ = built(keras_project(place, tmp_path, "coral"), cache)
    before = outputs(tmp_path / "build" / "coral")

    built(keras_project(place, tmp_path, "android-nnapi"), cache)
    (_, alone), _, _ = built(keras_project(place, tmp_path / "two", "coral", "ethos-u55-128"), cache)
    _, kept, _ = built(keras_project(place, tmp_path / "three", "coral", "ethos-u55-128"), cache)

    assert asked == [["uint8"], ["int8"]]
    assert set(first.details) <= set(kept.details)
    said = next(line for stage, line in first.lines if stage == "Convert")
    assert ("Convert", f"{said}, cached") in kept.lines
    assert outputs(tmp_path / "two" / "build" / "coral") == before
    assert [stage.name for stage in alone.stages][:4] == ["load", "convert", "convert", "predict"]


def with_test_part(place: Path, seed: int, name: str) -> None:
    """``name``: the data of the place, its test part drawn anew."""
    with np.load(place / "data.npz") as held:
        kept = {key: held[key] for key in ("x_train", "y_train")}
    draw = np.random.default_rng(seed)
    x, y = draw.random((24, 8, 8, 1), dtype=np.float32), draw.integers(0, 4, 24)
    np.savez(place / name, x_test=x, y_test=y, **kept)


STEPS = (Step(name="batch_norm"), Step(name="cluster", options={"k": 4, "epochs": 1}))


@pytest.mark.tensorflow
@pytest.mark.parametrize("steps", [pytest.param((), id="converted"), pytest.param(STEPS, id="trained")])
def test_other_test_samples_convert_and_train_nothing_again(
    place: Path, tmp_path: Path, asked: list[list[str]], steps: tuple[Step, ...]
) -> None:
    name = f"tested-{len(steps)}.npz"
    data = DataSpec(source=name, calibration_samples=16)
    wanted = keras_project(place, tmp_path, "coral", data=data, recipe=Recipe(name="mine", steps=steps))
    with_test_part(place, 1, name)
    (first,), _, _ = built(wanted, tmp_path / "cache")
    converted = (tmp_path / "build" / "coral" / "net.tflite").read_bytes()

    with_test_part(place, 2, name)
    (second,), heard, _ = built(wanted, tmp_path / "cache")
    built(dataclasses.replace(wanted, output=tmp_path / "other"), tmp_path / "empty")

    assert asked == [["uint8"], [], ["uint8"]]
    assert outputs(tmp_path / "build") == outputs(tmp_path / "other")
    assert (tmp_path / "build" / "coral" / "net.tflite").read_bytes() == converted
    told = [(tmp_path / name / "coral" / "report.json").read_bytes() for name in ("build", "other")]
    assert without_durations(told[0]) == without_durations(told[1])
    assert first.details != second.details
    # Seconds differ from run to run, so none may stand where bytes are compared.
    assert not any("time" in row for row in second.details.get("compression", ()))
    assert {"Convert"} | ({"Compress"} if steps else set()) <= heard.cached()
    assert not {"Load", "Predict", "Verify"} & heard.cached()


@pytest.mark.tensorflow
def test_other_training_samples_change_nothing_that_was_calibrated_apart(
    place: Path, tmp_path: Path, asked: list[list[str]]
) -> None:
    with np.load(place / "data.npz") as held:
        parts = {**held, "x_calibration": held["x_test"]}
    np.savez(place / "apart.npz", **parts)
    wanted = keras_project(place, tmp_path, "coral", data=DataSpec(source="apart.npz"))
    built(wanted, tmp_path / "cache")

    np.savez(place / "apart.npz", **{**parts, "x_train": parts["x_train"] * 0.5})
    built(wanted, tmp_path / "cache")
    np.savez(place / "apart.npz", **{**parts, "x_calibration": parts["x_test"] * 0.5})
    built(wanted, tmp_path / "cache")

    assert asked == [["uint8"], [], ["uint8"]]


@pytest.mark.tensorflow
def test_a_change_of_what_the_users_module_imports_counts(place: Path, tmp_path: Path, asked: list[list[str]]) -> None:
    wanted = keras_project(place, tmp_path, "coral", custom="custom.py")
    cache = tmp_path / "cache"
    built(wanted, cache)
    built(wanted, cache)
    unchanged = len(asked)

    (place / "beside.py").write_text("VALUE = 2\n")
    built(wanted, cache)

    assert (unchanged, len(asked)) == (1, 2)


@pytest.mark.tensorflow
def test_a_model_that_a_function_makes_is_made_each_time(place: Path, tmp_path: Path, asked: list[list[str]]) -> None:
    wanted = keras_project(place, tmp_path, "coral", model="make.py:model")

    stores = [built(wanted, tmp_path / "cache")[2] for _ in range(2)]

    assert len(asked) == 2
    assert [list(store.said) for store in stores] == [["EC820"], ["EC820"]]


@pytest.mark.tensorflow
def test_another_shape_of_an_open_input_is_another_model(place: Path, tmp_path: Path, asked: list[list[str]]) -> None:
    make = MAKE.replace("(8, 8, 1)", "(None, None, 1)")
    subprocess.run([sys.executable, "-c", f"{make}\nmodel().save({str(place / 'open.keras')!r})"], check=True)
    wanted = {"model": "open.keras", "data": DataSpec(), "random_calibration": True}

    for shape in ("8x8x1", "6x8x1", "8x8x1"):
        (report,), _, _ = built(keras_project(place, tmp_path, "coral", input_shape=(shape,), **wanted), tmp_path / "c")

    assert len(asked) == 2
    assert report.status == "verified"


@pytest.mark.tensorflow
def test_check_converts_once(place: Path, tmp_path: Path, asked: list[list[str]]) -> None:
    wanted = keras_project(place, tmp_path, "coral")
    store = Store(folder=tmp_path / "cache", limit_bytes=1 << 30)

    reports = [check(wanted, targets_of(wanted), Heard(), store=store) for _ in range(2)]

    assert len(asked) == 1
    assert reports[0][0].measures == reports[1][0].measures
