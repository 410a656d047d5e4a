"""Changes of training samples that users write: found, called with seeds, and refused where they do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import training_networks as nets

from edgecompile.compress.option import check_options
from edgecompile.compress.passes.finetune import Finetune
from edgecompile.compress.subject import Subject
from edgecompile.compress.training.draws import Draws
from edgecompile.compress.training.own_change import find
from edgecompile.core.errors import BadInputError
from edgecompile.core.recipe import Step


def _written(folder: Path, name: str, body: str) -> str:
    (folder / f"{name}.py").write_text(f"import numpy as np\n\ndef change(x, y, seeds):\n    {body}\n")
    return f"{name}.py:change"


def _batch(folder: Path, name: str, body: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.arange(12, dtype=np.float32).reshape(4, 3), np.eye(4, dtype=np.float32)
    change = find(_written(folder, name, body), folder)
    (made,), (labels,) = change((x,), (y,), Draws(seed=1, epoch=2, indices=np.array([5, 6, 7, 8])), 0)
    return made, labels


def test_samples_alone_or_labels_too_may_change(tmp_path: Path) -> None:
    made, labels = _batch(tmp_path, "own_samples", "return x + 1")
    both, turned = _batch(tmp_path, "own_both", "return x[::-1], y[::-1]")

    np.testing.assert_array_equal(made, np.arange(1, 13).reshape(4, 3))
    np.testing.assert_array_equal(labels, np.eye(4))
    np.testing.assert_array_equal(both, np.arange(12).reshape(4, 3)[::-1])
    np.testing.assert_array_equal(turned, np.eye(4)[::-1])


def test_a_sample_has_the_same_seed_in_whatever_batch_it_comes(tmp_path: Path) -> None:
    change = find(_written(tmp_path, "own_seeds", "return (seeds % 1000).astype(np.float32)[:, None]"), tmp_path)
    x = np.zeros((2, 1), np.float32)

    one, _ = change((x,), (), Draws(seed=1, epoch=0, indices=np.array([3, 4])), 0)
    other, _ = change((x,), (), Draws(seed=1, epoch=0, indices=np.array([4, 9])), 0)
    later, _ = change((x,), (), Draws(seed=1, epoch=1, indices=np.array([3, 4])), 0)

    assert one[0][1] == other[0][0] and one[0][0] != one[0][1]
    assert not np.array_equal(one[0], later[0])


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("own_shape", "return x[:, :2]", "float32[4, 2]"),
        ("own_count", "return x[:3]", "float32[3, 3]"),
        ("own_raise", "raise ValueError('no')", "ValueError: no"),
        ("own_exit", "raise SystemExit(3)", "SystemExit: 3"),
        ("own_words", "return 'x'", "found:"),
        ("own_labels", "return x, y[:, :2]", "float32[4, 2]"),
    ],
)
def test_a_function_that_does_not_fit_is_refused_with_what_it_gave(
    tmp_path: Path, name: str, body: str, told: str
) -> None:
    with pytest.raises(BadInputError, match="EC318") as caught:
        _batch(tmp_path, name, body)

    assert any(told in note for note in caught.value.diagnostics[0].notes)


@pytest.mark.parametrize("entry", ["nowhere.py:change", "own_found.py:chnge"], ids=["no file", "no function"])
def test_a_function_that_is_not_there_is_refused(tmp_path: Path, entry: str) -> None:
    _written(tmp_path, "own_found", "return x")

    with pytest.raises(BadInputError, match="EC318") as caught:
        find(entry, tmp_path)

    assert "chnge" not in entry or caught.value.diagnostics[0].help == ("did you mean `change`?",)


@pytest.mark.parametrize(("name", "codes"), [("own.py:change", []), ("flop", ["EC125"])], ids=["own", "misspelt"])
def test_recipes_may_name_functions_beside_what_comes_along(name: str, codes: list[str]) -> None:
    step = Step(name="finetune", options={"augment": ["noise", name]})

    assert [found.code for found in check_options(Finetune, step, "recipe", "step 1")] == codes


@pytest.mark.tensorflow
def test_training_sees_what_the_function_gives(tmp_path: Path) -> None:
    name = _written(tmp_path, "own_trained", "return np.full_like(x, np.nan)")
    given = replace(nets.context(), base=tmp_path)

    Finetune(epochs=1, augment=(name,), normalize=False).run(Subject(network=nets.dense()), given)

    assert [found.code for found in given.diagnostics] == ["EC311"]
