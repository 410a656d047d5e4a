"""What decides whether training sees graphics cards, and what is told of it; no card is needed to test it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgecompile import compressing
from edgecompile.cli.cache_place import setting_of
from edgecompile.core.project import Project
from edgecompile.core.recipe import Recipe, Step
from edgecompile.frontend.source import ModelSource
from edgecompile.libs import keras as door
from edgecompile.libs.keras_child import environment

TRAINED = Recipe(steps=(Step(name="finetune", options={"epochs": 2}),))
ONE_SHOT = Recipe(steps=(Step(name="cluster", options={"k": 15, "epochs": 0}),))


def asked(recipe: Recipe, train_on: str = "auto") -> str:
    project = Project(model="m.h5", base=Path(), targets=(), output=Path("build"), recipe=recipe, train_on=train_on)
    source = ModelSource(name="m.h5", kind="h5", path=None, entry=None, sha256="", size_bytes=0)
    request = compressing.request(project, source, [], [], None)
    assert request is not None
    return str(request["device"])


@pytest.mark.parametrize(
    ("recipe", "train_on", "device"),
    [
        pytest.param(TRAINED, "auto", "auto", id="trained"),
        pytest.param(TRAINED, "cpu", "cpu", id="trained on the processor by wish"),
        pytest.param(ONE_SHOT, "auto", "cpu", id="nothing trained"),
    ],
)
def test_cards_are_asked_for_only_where_something_is_trained(recipe: Recipe, train_on: str, device: str) -> None:
    assert asked(recipe, train_on) == device


def test_cards_are_hidden_unless_training_asks_for_them(tmp_path: Path) -> None:
    assert environment(tmp_path)["CUDA_VISIBLE_DEVICES"] == "-1"
    assert environment(tmp_path, "cpu")["CUDA_VISIBLE_DEVICES"] == "-1"
    assert "CUDA_VISIBLE_DEVICES" not in environment(tmp_path, "auto")


def test_cards_that_the_user_hides_are_part_of_what_is_cached() -> None:
    assert setting_of({"CUDA_VISIBLE_DEVICES": "0"}) != setting_of({"CUDA_VISIBLE_DEVICES": "0,1"})


def test_all_but_training_stays_on_the_processor_beside_a_card() -> None:
    told: list[Any] = []
    config = SimpleNamespace(experimental=SimpleNamespace(set_memory_growth=lambda *card: told.append(card)))
    tf = SimpleNamespace(config=config, device=lambda name: told.append(name) or nullcontext())

    door._stay_on_processor(tf, ["card 0", "card 1"])

    assert told == [("card 0", True), ("card 1", True), "/CPU:0"]


def test_without_a_card_no_device_is_named() -> None:
    door._stay_on_processor(None, [])


@pytest.mark.tensorflow
def test_a_report_says_on_what_a_recipe_was_trained() -> None:
    from edgecompile.process_ends import trained_on

    steps = {one.name: {"pass": one.name, "options": dict(one.options)} for one in (*TRAINED.steps, *ONE_SHOT.steps)}

    assert trained_on({"steps": [steps["finetune"]]}) == {"trained on": "the processor"}
    assert trained_on({"steps": [steps["cluster"]]}) == {}
    assert trained_on(None) == {}


@pytest.mark.tensorflow
def test_tensorflow_has_the_threads_that_a_search_gives_it() -> None:
    code = (
        "from edgecompile.libs.keras import pin, tensorflow; pin(1); threads = tensorflow().config.threading; "
        "print(threads.get_intra_op_parallelism_threads(), threads.get_inter_op_parallelism_threads())"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)

    assert done.stdout.split() == ["1", "1"]


@pytest.mark.tensorflow
def test_a_report_says_how_many_threads_there_were() -> None:
    from edgecompile.process_ends import versions

    assert versions(1)["threads of tensorflow"] == "1 in an operator, 1 operator at once"
    assert versions()["threads of tensorflow"].startswith("4 in an operator")
