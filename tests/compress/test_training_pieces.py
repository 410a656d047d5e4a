"""What training is made of, without TensorFlow: ends, labels, samples, changes of them, schedule, checkpoints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import training_networks as nets

from edgecompile.compress.context import Samples
from edgecompile.compress.subject import Distillation
from edgecompile.compress.training import checkpoint
from edgecompile.compress.training.augment import AUGMENTATIONS, augment, check
from edgecompile.compress.training.draws import Draws, order
from edgecompile.compress.training.ends import ends_of
from edgecompile.compress.training.feed import Feed, dtypes_of
from edgecompile.compress.training.judge import Judge
from edgecompile.compress.training.labels import Task, tasks_of
from edgecompile.compress.training.lesson import pairs_of
from edgecompile.compress.training.material import material_of
from edgecompile.compress.training.options import AUGMENTATIONS as NAMES
from edgecompile.compress.training.options import Training
from edgecompile.compress.training.patience import runs_out
from edgecompile.compress.training.schedule import learning_rate
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError, RejectedError
from edgecompile.ir.network import Operator

OPEN = np.array([[3.0, -2.0, 0.5]], np.float32)
SURE = np.array([[0.2, 0.5, 0.3]], np.float32)


@pytest.mark.parametrize(
    ("end", "kind", "tensor"),
    [("SOFTMAX", "softmax", 6), ("LOGISTIC", "sigmoid", 6), ("LOG_SOFTMAX", "softmax", 7), (None, "open", None)],
)
def test_the_logits_are_in_front_of_the_last_activation(end: str | None, kind: str, tensor: int | None) -> None:
    (found,) = ends_of(nets.dense(end=end))

    assert (found.kind, found.tensor, found.shape) == (kind, tensor, (3,))


def test_operators_that_move_no_value_stand_behind_the_activation() -> None:
    network = nets.dense()
    main = network.main
    tensors = [*main.tensors, nets.tensor("a", (1, 1, 3)), nets.tensor("b", (1, 1, 3))]
    operators = [
        *main.operators,
        Operator(name="RESHAPE", inputs=(7,), outputs=(8,)),
        Operator(name="DEQUANTIZE", inputs=(8,), outputs=(9,)),
    ]

    (found,) = ends_of(nets.ended(tensors, operators, 9, None))

    assert (found.kind, found.tensor, found.shape) == ("softmax", 6, (1, 3))


def test_a_sum_of_two_softmaxes_ends_openly() -> None:
    network = nets.dense()
    tensors = [*network.main.tensors, nets.tensor("sum", (1, 3))]
    operators = [*network.main.operators, Operator(name="ADD", inputs=(7, 7), outputs=(8,))]

    assert ends_of(nets.ended(tensors, operators, 8, None))[0].kind == "open"


@pytest.mark.parametrize(
    ("end", "y", "output", "kind", "sparse", "closed"),
    [
        pytest.param("SOFTMAX", np.array([0, 2]), SURE, "classes", True, False, id="indices"),
        pytest.param("SOFTMAX", np.array([[0], [2]]), SURE, "classes", True, False, id="indices in a column"),
        pytest.param("SOFTMAX", np.array([0.0, 2.0]), SURE, "classes", True, False, id="indices as floats"),
        pytest.param("SOFTMAX", np.eye(3), SURE, "classes", False, False, id="one-hot"),
        pytest.param("SOFTMAX", np.full((4, 3), 1 / 3), SURE, "classes", False, False, id="soft rows"),
        pytest.param(None, np.array([0, 2]), OPEN, "classes", True, False, id="logits as outputs"),
        pytest.param(None, np.array([0, 2]), SURE, "classes", True, True, id="a softmax written out"),
        pytest.param(None, np.eye(3), OPEN, "classes", False, False, id="one-hot for logits"),
        pytest.param(None, np.array([[0.3, 7, -1]]), OPEN, "values", False, False, id="values"),
        pytest.param("LOGISTIC", np.array([[1, 0, 1]]), SURE, "binary", False, False, id="several true"),
        pytest.param("LOGISTIC", np.array([0, 2]), SURE, "binary", True, False, id="one true"),
    ],
)
def test_labels_tell_what_an_output_is_to_learn(
    end: str | None, y: Any, output: Any, kind: str, sparse: bool, closed: bool
) -> None:
    (task,) = tasks_of(ends_of(nets.dense(end=end)), (y,), [output])

    assert (task.kind, task.sparse, task.from_probabilities) == (kind, sparse, closed)
    targets = task.targets(np.arange(len(y)))
    assert targets.shape == (len(y), 3)
    assert targets.dtype == np.float32
    if sparse:
        assert np.array_equal(targets.argmax(-1), y.reshape(-1))


@pytest.mark.parametrize(
    ("end", "y", "limit", "found"),
    [
        pytest.param("SOFTMAX", (np.array([0, 3]),), "0 to 2", "0 to 3", id="index too large"),
        pytest.param("SOFTMAX", (np.array([-1, 2]),), "0 to 2", "-1 to 2", id="index below zero"),
        pytest.param("SOFTMAX", (np.ones((2, 3)),), "rows that sum to 1", "sums from 3 to 3", id="no distribution"),
        pytest.param("SOFTMAX", (np.ones((2, 4)),), "[3]", "[4]", id="other shape"),
        pytest.param("SOFTMAX", (np.eye(3), np.eye(3)), "1", "2", id="two outputs"),
        pytest.param("LOGISTIC", (np.full((2, 3), 1.5),), "0 to 1", "1.5 to 1.5", id="outside of a sigmoid"),
        pytest.param(None, (np.array([[1.0, np.nan, 0]]),), "finite numbers", "NaN or infinity", id="NaN"),
    ],
)
def test_labels_that_do_not_fit_are_refused(end: str | None, y: Any, limit: str, found: str) -> None:
    with pytest.raises(BadInputError, match="EC313") as raised:
        tasks_of(ends_of(nets.dense(end=end)), y, [SURE])

    notes = raised.value.diagnostics[0].notes
    assert notes == (f"the network takes: {limit}", f"found in the training data: {found}")


def test_maps_of_classes_have_an_index_for_each_place() -> None:
    tensors = [nets.tensor("in", (1, 4, 4, 3)), nets.tensor("out", (1, 4, 4, 3))]
    network = nets.ended(tensors[:1], [], 0, "SOFTMAX")
    y = np.random.default_rng(0).integers(0, 3, (5, 4, 4))

    (task,) = tasks_of(ends_of(network), (y,), [np.full((1, 4, 4, 3), 1 / 3)])

    assert (task.kind, task.sparse) == ("classes", True)
    assert np.array_equal(task.targets(np.array([1, 4])).argmax(-1), y[[1, 4]])


def test_draws_belong_to_the_sample_and_the_epoch() -> None:
    indices = np.array([5, 900, 3])
    drawn = Draws(seed=1, epoch=2, indices=indices).uniform(7, 1000)

    assert np.array_equal(drawn[::-1], Draws(seed=1, epoch=2, indices=indices[::-1]).uniform(7, 1000))
    others = [(2, 2, 7), (1, 3, 7), (1, 2, 8)]
    for seed, epoch, stream in others:
        assert not np.array_equal(drawn, Draws(seed=seed, epoch=epoch, indices=indices).uniform(stream, 1000))
    # Moments of a uniform distribution; five standard errors of 3000 draws.
    assert abs(drawn.mean() - 0.5) < 5 * np.sqrt(1 / 12 / 3000)
    assert 0 <= drawn.min() < drawn.max() < 1


def test_normal_draws_have_mean_zero_and_variance_one() -> None:
    drawn = Draws(seed=0, epoch=0, indices=np.arange(20)).normal(0, 501)

    assert drawn.shape == (20, 501)
    assert abs(drawn.mean()) < 5 / np.sqrt(drawn.size)
    assert abs(drawn.var() - 1) < 5 * np.sqrt(2 / drawn.size)


def test_integer_draws_reach_both_limits_and_no_further() -> None:
    assert set(Draws(seed=0, epoch=0, indices=np.arange(200)).integers(0, 2)) == {-2, -1, 0, 1, 2}


def test_an_epoch_takes_each_sample_once_in_an_order_of_its_own() -> None:
    assert sorted(order(0, 0, 50)) == list(range(50))
    assert not np.array_equal(order(0, 0, 50), order(0, 1, 50))
    assert np.array_equal(order(0, 1, 50), order(0, 1, 50))


def changed(name: str, x: Any, y: Any = ()) -> Any:
    return augment([AUGMENTATIONS[name]], (x,), tuple(y), Draws(seed=0, epoch=0, indices=np.arange(len(x))))


IMAGES = np.random.default_rng(0).normal(size=(40, 16, 16, 3)).astype(np.float32)


def test_the_names_of_options_are_those_that_exist() -> None:
    assert tuple(AUGMENTATIONS) == NAMES


def test_flip_turns_half_of_the_images_and_their_maps() -> None:
    maps = IMAGES[..., :2].copy()

    (x,), (y,) = changed("flip", IMAGES, [maps])

    turned = [np.array_equal(a, b[:, ::-1]) for a, b in zip(x, IMAGES, strict=True)]
    assert 10 < sum(turned) < 30
    for one, was, before, labels, was_labels in zip(x, turned, IMAGES, y, maps, strict=True):
        assert was or np.array_equal(one, before)
        assert np.array_equal(labels, was_labels[:, ::-1] if was else was_labels)


def test_shift_moves_by_an_eighth_at_most_and_repeats_the_edge() -> None:
    (x,), _ = changed("shift", IMAGES)

    padded = np.pad(IMAGES, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    for one, wide in zip(x, padded, strict=True):
        windows = [wide[a : a + 16, b : b + 16] for a in range(5) for b in range(5)]
        assert any(np.array_equal(one, window) for window in windows)
    assert not np.array_equal(x, IMAGES)


def test_time_shift_moves_by_a_tenth_at_most_and_repeats_the_edge() -> None:
    sounds = np.random.default_rng(0).normal(size=(30, 50, 2)).astype(np.float32)

    (x,), _ = changed("time_shift", sounds)

    padded = np.pad(sounds, ((0, 0), (5, 5), (0, 0)), mode="edge")
    for one, wide in zip(x, padded, strict=True):
        assert any(np.array_equal(one, wide[a : a + 50]) for a in range(11))
    assert not np.array_equal(x, sounds)


def test_noise_is_small_beside_the_sample() -> None:
    (x,), _ = changed("noise", IMAGES * 100)

    # Its size is a twentieth of the sample's; one per cent of that is five standard errors of so many elements.
    assert (x - IMAGES * 100).std() / (IMAGES * 100).std() == pytest.approx(0.05, rel=0.03)
    assert x.dtype == np.float32


def test_mixup_mixes_labels_as_it_mixes_samples() -> None:
    labels = np.eye(4, dtype=np.float32)[np.arange(40) % 4]

    (x,), (y,) = changed("mixup", IMAGES, [labels])

    share = y[np.arange(40), np.arange(40) % 4]
    expected = share[:, None, None, None] * IMAGES + (1 - share)[:, None, None, None] * np.roll(IMAGES, 1, axis=0)
    # float32 sums of two products
    assert np.allclose(x, expected, atol=1e-5)
    assert np.allclose(y.sum(-1), 1)


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "output"),
    [
        ("flip", (8,), "float32", (3,)),
        ("flip", (8, 8, 3), "int32", (3,)),
        ("time_shift", (5,), "float32", (3,)),
        ("mixup", (8,), "int32", (3,)),
        ("shift", (8, 8, 3), "float32", (8, 8, 2)),
    ],
)
def test_changes_that_do_not_fit_are_refused(name: str, shape: Any, dtype: str, output: Any) -> None:
    tensors = [nets.tensor("out", (1, *output))]
    task = Task(kind="values", end=ends_of(nets.ended(tensors, [], 0, None))[0])

    with pytest.raises(BadInputError, match="EC318"):
        check([name], [np.zeros((2, *shape), dtype)], [task])


def test_batches_are_the_same_each_time_and_of_one_size() -> None:
    some = nets.samples(70)
    tasks = tasks_of(ends_of(nets.dense()), some.y, [SURE])
    feed = Feed(
        samples=some, tasks=tasks, dtypes=("float32",), batch_size=32, changes=(AUGMENTATIONS["noise"],), seed=3
    )

    assert feed.steps == 2
    for epoch, number in ((0, 0), (0, 1), (5, 1)):
        (x,), (y,) = feed.batch(epoch, number)
        (again,), _ = feed.batch(epoch, number)
        assert x.shape == (32, 8)
        assert y.shape == (32, 3)
        assert np.array_equal(x, again)


def test_inputs_have_the_types_that_the_network_takes() -> None:
    assert dtypes_of(nets.dense()) == ("float32",)
    assert dtypes_of(nets.integer()) == ("float32",)
    assert dtypes_of(nets.ended([nets.tensor("words", (1, 5), "int32")], [], 0, None)) == ("int32",)


def test_the_learning_rate_rises_and_falls_to_nothing() -> None:
    how = Training(learning_rate=2.0, warmup=0.1)
    rates = [learning_rate(how, step, 100) for step in range(100)]

    assert rates[:10] == sorted(rates[:10])
    assert rates[9] < rates[10] == 2.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[99] < 0.01
    assert learning_rate(how, 0, 1) == 2.0
    assert learning_rate(Training(learning_rate=2.0, schedule="constant"), 99, 100) == 2.0


@pytest.mark.parametrize(
    ("how", "epoch", "best", "over"),
    [
        pytest.param(Training(epochs=8, schedule="constant"), 7, 0, False, id="few-epochs-all-pass"),
        pytest.param(Training(epochs=16), 15, 1, False, id="sixteen-of-a-cosine-all-pass"),
        pytest.param(Training(epochs=40), 29, 5, False, id="cosine-before-three-quarters"),
        pytest.param(Training(epochs=40), 30, 5, True, id="cosine-at-three-quarters"),
        pytest.param(Training(epochs=40), 34, 25, False, id="cosine-best-nine-ago"),
        pytest.param(Training(epochs=40), 35, 25, True, id="cosine-best-ten-ago"),
        pytest.param(Training(epochs=40, schedule="constant"), 15, 5, True, id="constant-best-ten-ago"),
        pytest.param(Training(epochs=12, schedule="constant"), 9, 1, True, id="constant-at-least-eight"),
        pytest.param(Training(epochs=40, patience=0), 39, 1, False, id="never"),
        pytest.param(Training(epochs=40, patience=3), 4, 1, True, id="given"),
        pytest.param(Training(epochs=40, patience=3), 3, 1, False, id="given-not-yet"),
    ],
)
def test_training_ends_when_no_better_score_is_to_be_expected(how: Training, epoch: int, best: int, over: bool) -> None:
    assert runs_out(how, epoch, epoch - best) is over


@pytest.mark.parametrize(
    ("changes", "codes", "trained", "held_out"),
    [
        pytest.param({}, [], 256, 64, id="all there"),
        pytest.param({"validation": None}, [], 231, 25, id="a tenth held out"),
        pytest.param({"train": nets.samples(100), "validation": None}, ["EC312"], 100, 0, id="none to hold out"),
        pytest.param({"train": Samples(x=nets.samples(30).x)}, ["EC310"], 30, 64, id="no labels"),
        pytest.param({"train": None, "calibration": nets.samples(40)}, ["EC310"], 40, 64, id="calibration"),
    ],
)
def test_samples_are_taken_from_what_is_there(
    changes: dict[str, Any], codes: list[str], trained: int, held_out: int
) -> None:
    context = nets.context(**changes)

    material = material_of(context)

    assert [d.code for d in context.diagnostics] == codes
    assert len(material.train) == trained
    assert (len(material.held_out) if material.held_out is not None else 0) == held_out
    assert material.labelled == ("EC310" not in codes)


@pytest.mark.parametrize("train", [None, nets.samples(10)])
def test_too_few_samples_are_refused(train: Samples | None) -> None:
    with pytest.raises(RejectedError, match="EC312"):
        material_of(nets.context(train=train))


def test_held_out_samples_are_not_trained_on() -> None:
    material = material_of(nets.context(validation=None))
    assert material.held_out is not None

    rows = [set(map(bytes, part.x[0])) for part in (material.train, material.held_out)]
    assert len(rows[0]) + len(rows[1]) == 256
    assert not rows[0] & rows[1]


def test_the_better_score_or_the_smaller_loss_wins() -> None:
    by_score = Judge(samples=nets.samples(4), score=nets.ACCURACY, tasks=())
    by_loss = Judge(samples=nets.samples(4), score=None, tasks=())

    assert by_score.better(0.9, 0.8)
    assert not by_score.better(0.8, 0.8)
    assert by_loss.better(0.1, 0.2)
    assert by_loss.better(0.3, float("nan"))
    assert by_loss.better(None, None)


def test_inner_tensors_are_paired_by_name_and_shape() -> None:
    student, teacher = nets.dense(), nets.dense(seed=1)

    assert pairs_of(student, teacher, Distillation()) == ()
    assert pairs_of(student, teacher, Distillation(feature_weight=1.0)) == ((3, 3),)
    assert pairs_of(student, teacher, Distillation(feature_weight=1.0, features=("logits",))) == ((6, 6),)
    assert pairs_of(student, nets.dense(hidden=8), Distillation(feature_weight=1.0)) == ()


def state(epoch: int) -> checkpoint.State:
    arrays = {"a b": np.arange(6, dtype=np.float32).reshape(2, 3) + epoch, "zeros x/y": np.eye(2, dtype=bool)}
    return checkpoint.State(epoch=epoch, numbers={"epoch": epoch, "value": None, "history": [[0.5, 1]]}, arrays=arrays)


def test_the_newest_checkpoint_comes_back_bit_for_bit(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        checkpoint.save(tmp_path / "run", state(epoch))
    said: list[Diagnostic] = []

    found = checkpoint.restore(tmp_path / "run", said)

    assert said == []
    assert found is not None
    assert (found.epoch, dict(found.numbers)) == (3, dict(state(3).numbers))
    for name, array in state(3).arrays.items():
        assert found.arrays[name].dtype == array.dtype
        assert np.array_equal(found.arrays[name], array)
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["00002.checkpoint", "00003.checkpoint"]


@pytest.mark.parametrize("content", [b"", b"short", b"\0" * 500])
def test_a_damaged_checkpoint_is_told_and_the_one_before_is_taken(content: bytes, tmp_path: Path) -> None:
    for epoch in (1, 2):
        checkpoint.save(tmp_path, state(epoch))
    (tmp_path / "00002.checkpoint").write_bytes(content)
    said: list[Diagnostic] = []

    found = checkpoint.restore(tmp_path, said)

    assert found is not None
    assert found.epoch == 1
    assert [d.code for d in said] == ["EC317"]


def test_without_checkpoints_there_is_nothing_to_restore(tmp_path: Path) -> None:
    assert checkpoint.restore(tmp_path / "none", []) is None


def test_a_fingerprint_tells_parts_and_types_apart() -> None:
    parts: list[list[Any]] = [
        ["ab", "c"],
        ["a", "bc"],
        [b"ab", "c"],
        ["ab", None],
        [np.zeros(2, np.float32)],
        [np.zeros(2, np.int32)],
        [np.zeros((2, 1), np.float32)],
    ]

    assert len({checkpoint.fingerprint(some) for some in parts}) == len(parts)
    assert checkpoint.fingerprint(["ab"]) == checkpoint.fingerprint(["ab"])


def test_training_is_imported_without_tensorflow() -> None:
    code = "import sys, edgecompile.compress.training.trainer; print('tensorflow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_folder_that_cannot_be_written_keeps_no_checkpoint_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    checkpoint.save(tmp_path / "file" / "run", checkpoint.State(epoch=1, numbers={}, arrays={}))

    assert checkpoint.restore(tmp_path / "file" / "run", []) is None
