"""One-shot compression of small networks: layer inputs against the interpreter, promises kept, outputs near."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from edgecompile.compress.context import Context, Samples, Score
from edgecompile.compress.oneshot.fit import Form
from edgecompile.compress.oneshot.patches import VALUES, patches
from edgecompile.compress.oneshot.rematch import rematch
from edgecompile.compress.oneshot.sequence import Plan, one_shot
from edgecompile.compress.passes.cluster import Cluster
from edgecompile.compress.passes.prune import Prune
from edgecompile.compress.sites import as_rows, bias_of, sites_of, weights_of, with_constants
from edgecompile.compress.subject import Held, Subject
from edgecompile.core.errors import EdgecompileError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.libs.keras import tensorflow

Array = np.ndarray[Any, Any]
pytestmark = pytest.mark.tensorflow
# float32 sums of at most 75 products, in another order.
ROUNDING = 1e-4


def _random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _interpreted(network: Network, x: Array) -> Array:
    interpreter = tensorflow().lite.Interpreter(model_content=write(network))
    interpreter.allocate_tensors()
    outputs = []
    for sample in x:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return np.stack(outputs)


def _one(operator: str, x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], **options: Any) -> Network:
    build = NetworkBuilder()
    source = build.input("x", x)
    weights = build.constant("w", _random(*w, seed=1))
    target = build.tensor("y", y)
    read = [source, weights, build.constant("zeros", np.zeros(y[-1], np.float32))]
    if operator == "TRANSPOSE_CONV":
        read = [build.constant("shape", np.array(y, np.int32)), weights, source]
    build.op(operator, read, [target], **options)
    return build.output(target).signature().build()


_S2 = {"stride_h": 2, "stride_w": 2}
_S1 = {"stride_h": 1, "stride_w": 1}
OPERATORS: Mapping[str, Network] = {
    "conv": _one("CONV_2D", (1, 6, 5, 3), (4, 3, 3, 3), (1, 6, 5, 4), padding="SAME", **_S1),
    "conv, strides": _one("CONV_2D", (1, 8, 7, 3), (4, 3, 2, 3), (1, 4, 4, 4), padding="SAME", **_S2),
    "conv, valid": _one("CONV_2D", (1, 8, 7, 3), (4, 3, 2, 3), (1, 3, 3, 4), padding="VALID", **_S2),
    "conv, dilated": _one(
        "CONV_2D",
        (1, 9, 9, 2),
        (3, 3, 3, 2),
        (1, 9, 9, 3),
        padding="SAME",
        dilation_h_factor=2,
        dilation_w_factor=3,
        **_S1,
    ),
    "conv, grouped": _one("CONV_2D", (1, 5, 5, 6), (4, 3, 3, 3), (1, 5, 5, 4), padding="SAME", **_S1),
    "depthwise": _one("DEPTHWISE_CONV_2D", (1, 6, 6, 3), (1, 3, 3, 3), (1, 6, 6, 3), padding="SAME", **_S1),
    "depthwise, multiplied": _one(
        "DEPTHWISE_CONV_2D", (1, 6, 6, 2), (1, 3, 3, 6), (1, 3, 3, 6), padding="SAME", depth_multiplier=3, **_S2
    ),
    "dense": _one("FULLY_CONNECTED", (1, 12), (5, 12), (1, 5)),
    "transposed": _one("TRANSPOSE_CONV", (1, 4, 3, 2), (3, 3, 3, 2), (1, 8, 6, 3), padding="SAME", **_S2),
    "transposed, valid": _one("TRANSPOSE_CONV", (1, 4, 3, 2), (3, 3, 2, 2), (1, 9, 6, 3), padding="VALID", **_S2),
    "volume": _one("CONV_3D", (1, 4, 5, 5, 2), (2, 3, 3, 2, 3), (1, 4, 5, 5, 3), padding="SAME", stride_d=1, **_S1),
}


@pytest.mark.parametrize("network", OPERATORS.values(), ids=OPERATORS.keys())
def test_inputs_laid_out_times_weights_are_what_the_interpreter_computes(network: Network) -> None:
    (site,) = sites_of(network)
    operator = network.main.operators[0]
    x = _random(3, *network.main.tensors[operator.inputs[VALUES[operator.name]]].shape)
    shape = network.main.tensors[operator.outputs[0]].shape

    laid = patches(operator, weights_of(network, site).shape, shape, x, np.random.default_rng(0), 10**6)

    rows = as_rows(weights_of(network, site), site.axis)
    outputs = laid @ rows.reshape(len(laid), -1, laid.shape[2]).transpose(0, 2, 1)
    flat = outputs.transpose(1, 0, 2).reshape(3, *shape)
    assert np.abs(flat - _interpreted(network, x)).max() < ROUNDING


def test_positions_are_drawn_where_there_are_many() -> None:
    network = OPERATORS["conv"]

    laid = patches(
        network.main.operators[0], (4, 3, 3, 3), (1, 6, 5, 4), _random(4, 1, 6, 5, 3), np.random.default_rng(0), 40
    )

    assert laid.shape == (1, 40, 27)


def _network() -> Network:
    """Convolution, depthwise, pointwise, dense; the two middle ones share one zero bias."""
    build = NetworkBuilder()
    x = build.input("x", (1, 8, 8, 3))
    zeros = build.constant("zeros", np.zeros(8, np.float32))
    a = build.tensor("first", (1, 8, 8, 8))
    first = (build.constant("w0", _random(8, 3, 3, 3, seed=1) / 5), build.constant("b0", _random(8, seed=5)))
    build.op("CONV_2D", [x, *first], [a], padding="SAME", fused_activation_function="RELU", **_S1)
    b = build.tensor("depthwise", (1, 4, 4, 8))
    build.op(
        "DEPTHWISE_CONV_2D",
        [a, build.constant("w1", _random(1, 3, 3, 8, seed=2) / 3), zeros],
        [b],
        padding="SAME",
        fused_activation_function="RELU",
        depth_multiplier=1,
        **_S2,
    )
    c = build.tensor("pointwise", (1, 4, 4, 8))
    build.op("CONV_2D", [b, build.constant("w2", _random(8, 1, 1, 8, seed=3) / 3), zeros], [c], padding="SAME", **_S1)
    flat = build.tensor("flat", (1, 128))
    build.op("RESHAPE", [c, build.constant("shape", np.array([1, 128], np.int32))], [flat], new_shape=(1, 128))
    y = build.tensor("dense", (1, 4))
    build.op("FULLY_CONNECTED", [flat, build.constant("w3", _random(4, 128, seed=4) / 11), -1], [y])
    return build.output(y).signature().build()


SAMPLES = Samples(x=(_random(96, 8, 8, 3, seed=9),))


def _error(network: Network, other: Network) -> float:
    """Of outputs, relative to their spread."""
    x = SAMPLES.x[0][:32, None]
    wanted = _interpreted(network, x)
    return float(np.sqrt(np.mean((_interpreted(other, x) - wanted) ** 2)) / wanted.std())


def _context(**given: Any) -> Context:
    return Context(quantize=lambda network: network, calibration=SAMPLES, **given)


def _subject() -> Subject:
    return Subject(network=_network())


def test_weights_that_make_up_for_others_lose_less_than_those_judged_alone() -> None:
    network = _network()
    plans = {site.key: Plan(zeros=0.3, form=Form(centroids=12)) for site in sites_of(network)}
    alone, _ = one_shot(network, plans, None, {})

    compressed, held = one_shot(network, plans, SAMPLES, {})

    assert _error(network, compressed) < 0.7 * _error(network, alone)
    for site in sites_of(compressed):
        promise = held[site.key]
        assert promise.codes is not None and promise.scales is not None and promise.zeros is not None
        assert len(np.unique(promise.codes)) <= 12
        assert promise.zeros.mean() >= 0.25 and not promise.codes[promise.zeros].any()
        assert len(promise.scales) == weights_of(compressed, site).shape[site.axis or 0]


def test_the_same_samples_give_the_same_bytes() -> None:
    network = _network()
    plans = {site.key: Plan(form=Form(centroids=8, init="kmeans++")) for site in sites_of(network)}

    first, second = (one_shot(network, plans, SAMPLES, {}, seed=3)[0] for _ in range(2))

    assert write(first) == write(second)


def test_nothing_planned_changes_nothing_that_is_computed() -> None:
    network = _network()

    same, held = one_shot(network, {}, SAMPLES, {})

    assert held == {} and _error(network, same) == 0.0


def test_biases_that_the_file_stores_once_are_corrected_apart() -> None:
    network = _network()

    compressed, _ = one_shot(
        network, {site.key: Plan(form=Form(centroids=3)) for site in sites_of(network)}, SAMPLES, {}
    )

    biases = [bias_of(compressed, site) for site in sites_of(compressed)]
    assert biases[1] is not None and biases[2] is not None and biases[3] is None
    assert not np.array_equal(biases[1], biases[2])


def test_rematching_gives_channels_their_spread_back() -> None:
    network = _network()
    site = sites_of(network)[0]
    shrunk = with_constants(network, {site.weights: weights_of(network, site) * np.float32(0.8)})

    stretched, _ = rematch(shrunk, {}, network, SAMPLES)

    assert np.allclose(weights_of(stretched, sites_of(stretched)[0]), weights_of(network, site), rtol=1e-3)
    assert _error(network, stretched) < 0.01 < _error(network, shrunk)


def test_rematching_leaves_codes_and_stretches_their_scales() -> None:
    network = _network()
    compressed, held = one_shot(network, {sites_of(network)[0].key: Plan(form=Form(centroids=4))}, SAMPLES, {})

    stretched, kept = rematch(compressed, held, network, SAMPLES)

    (key,) = held
    assert np.array_equal(kept[key].codes, held[key].codes)  # type: ignore[arg-type]
    assert Cluster(k=4).ensures(Subject(network=compressed, held=held), Subject(network=stretched, held=kept)) == ()


def test_infinite_samples_are_refused() -> None:
    x = SAMPLES.x[0].copy()
    x[5, 0, 0, 0] = np.inf

    with pytest.raises(EdgecompileError) as caught:
        one_shot(_network(), {"first": Plan(zeros=0.5)}, Samples(x=(x,)), {})

    assert caught.value.diagnostics[0].code == "EC324"


def test_weights_without_an_input_matrix_go_by_themselves() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 3), "int32")
    y = build.tensor("rows", (1, 3, 6))
    build.op("GATHER", [build.constant("table", _random(20, 6)), x], [y], axis=0)
    network = build.output(y).signature().build()
    samples = Samples(x=(np.arange(60, dtype=np.int32).reshape(20, 3) % 20,))

    _, held = one_shot(network, {"rows": Plan(zeros=0.5, form=Form(centroids=5, per_row=False))}, samples, {})

    promise = held["rows"]
    assert promise.codes is not None and promise.zeros is not None and promise.scales is not None
    assert promise.scales.shape == (1,) and len(np.unique(promise.codes)) <= 5 and promise.zeros.mean() == 0.5


PRUNES = {
    "unstructured": Prune(epochs=0),
    "by size": Prune(epochs=0, method="magnitude"),
    "uniform": Prune(epochs=0, allocation="uniform", sparsity=0.3),
    "2:4": Prune(epochs=0, pattern="2:4"),
    "blocks": Prune(epochs=0, pattern="block2x2", sparsity=0.4),
}


@pytest.mark.parametrize("one", PRUNES.values(), ids=PRUNES.keys())
def test_prune_makes_the_zeros_asked_for_and_no_more(one: Prune) -> None:
    before, context = _subject(), _context()

    after = one.run(before, context)

    assert one.ensures(before, after) == ()
    touched = [site for site in sites_of(after.network) if after.held[site.key].zeros is not None]
    zeros = sum(np.count_nonzero(weights_of(after.network, site) == 0) for site in touched)
    total = sum(weights_of(after.network, site).size for site in touched)
    fours = [site.key for site in touched if one.pattern == "2:4"]
    assert fours in ([], ["pointwise", "dense"])
    assert zeros / total == pytest.approx(one.sparsity, abs=0.02)
    left = [d for d in context.diagnostics if d.code == "EC325"]
    assert bool(left) == (one.pattern != "unstructured")


def test_prune_on_samples_loses_less_than_by_size() -> None:
    before = _subject()

    by_size, by_samples = (PRUNES[name].run(before, _context()).network for name in ("by size", "unstructured"))

    assert _error(before.network, by_samples) < 0.8 * _error(before.network, by_size)


def test_cluster_keeps_the_zeros_that_prune_made() -> None:
    pruned = Prune(epochs=0, pattern="block2x2").run(_subject(), _context())

    clustered = Cluster(epochs=0, k=8).run(pruned, _context())

    assert Cluster(k=8).ensures(pruned, clustered) == ()
    for key, held in pruned.held.items():
        assert held.zeros is None or not weights_of(clustered.network, _site(clustered, key))[held.zeros].any()
        assert clustered.held[key].pattern == held.pattern


def _site(subject: Subject, key: str) -> Any:
    return next(site for site in sites_of(subject.network) if site.key == key)


@pytest.mark.parametrize("method", ["oneshot", "kmeans"])
def test_cluster_leaves_skipped_layers_as_they_are(method: str) -> None:
    before = _subject()

    after = Cluster(epochs=0, k=4, method=method, skip=("^dense",)).run(before, _context())

    assert set(after.held) == {"first", "depthwise", "pointwise"}
    assert np.array_equal(*(weights_of(one.network, _site(one, "dense")) for one in (before, after)))


def test_cluster_gives_a_dense_layer_one_scale_where_a_target_wants_it() -> None:
    after = Cluster(epochs=0, k=4).run(_subject(), _context(per_tensor_dense=True))

    assert {key: held.scales.shape for key, held in after.held.items() if held.scales is not None} == {
        "first": (8,), "depthwise": (8,), "pointwise": (8,), "dense": (1,),
    }  # fmt: skip


def test_matched_statistics_are_kept_only_where_they_score_better() -> None:
    before = _subject()
    scores = iter((1.0, 0.5, 0.5, 1.0))
    context = _context(validation=SAMPLES, score=Score(name="given", of=lambda outputs, samples: next(scores)))

    worse, better = (Cluster(epochs=0, k=3).run(before, context) for _ in range(2))

    plain = Cluster(epochs=0, k=3).run(before, _context())
    assert write(worse.network) == write(plain.network) != write(better.network)


def test_without_samples_weights_go_by_their_size() -> None:
    context = Context(quantize=lambda network: network)

    after = Prune(epochs=0).run(_subject(), context)

    by_size = Prune(epochs=0, method="magnitude").run(_subject(), _context())
    assert write(after.network) == write(by_size.network)
    assert [d.code for d in context.diagnostics] == ["EC335"]


def test_an_operator_that_cannot_be_simulated_leaves_weights_judged_alone() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 12))
    y, z = build.tensor("dense", (1, 8)), build.tensor("z", (1, 8))
    build.op("FULLY_CONNECTED", [x, build.constant("w", _random(8, 12)), -1], [y])
    build.op("CUSTOM", [y], [z], custom_code="Mystery")
    subject = Subject(network=build.output(z).signature().build())
    context = Context(quantize=lambda network: network, calibration=Samples(x=(_random(40, 12),)))

    after = Cluster(epochs=0, k=4).run(subject, context)

    assert len(np.unique(weights_of(after.network, _site(after, "dense")) != 0)) >= 1
    assert after.held["dense"].centroids == 4
    assert [d.code for d in context.diagnostics] == ["EC326"]


REFUSED = {
    "EC320 skipped": (Prune(epochs=0, skip=(".",)), "EC320"),
    "EC320 pattern": (Prune(epochs=0, pattern="block2x2", skip=("first", "pointwise", "^dense")), "EC320"),
    "EC321": (Cluster(epochs=0, k=255, skip=("^dense",)), "EC321"),
    "EC322 unknown": (Cluster(epochs=0, skip=("conv_99",)), "EC322"),
    "EC322 unfinished": (Cluster(epochs=0, skip=("conv(",)), "EC322"),
    "EC323 half": (Prune(pattern="2:4", sparsity=0.7), "EC323"),
    "EC323 course": (Prune(course="polynomial", begin=0.8, end=0.6), "EC323"),
    "EC323 kept": (Prune(sparsity=0.97), "EC323"),
}


@pytest.mark.parametrize(("one", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_is_refused(one: Prune | Cluster, code: str) -> None:
    with pytest.raises(EdgecompileError) as caught:
        one.run(_subject(), _context())

    assert [d.code for d in caught.value.diagnostics] == [code]
    assert caught.value.diagnostics[0].help


@pytest.mark.parametrize(
    ("pattern", "cure"),
    [
        pytest.param("zzz", 'write a part of a name, as in `skip = ["first"]`', id="nothing-near"),
        pytest.param("frist", "did you mean `first`?", id="misspelt"),
        pytest.param("first(", 'where these characters are meant as they stand: `skip = ["first\\\\("]`', id="bracket"),
    ],
)
def test_a_pattern_that_matches_nothing_is_told_with_what_to_type(pattern: str, cure: str) -> None:
    with pytest.raises(EdgecompileError, match="EC322") as caught:
        Cluster(epochs=0, skip=(pattern,)).run(_subject(), _context())

    assert caught.value.diagnostics[0].help[0].startswith(cure)


def test_a_network_without_weights_is_refused() -> None:
    build = NetworkBuilder()
    y = build.tensor("y", (1, 4))
    build.op("RELU", [build.input("x", (1, 4))], [y])
    subject = Subject(network=build.output(y).signature().build())

    for one in (Prune(epochs=0), Cluster(epochs=0)):
        with pytest.raises(EdgecompileError, match="EC320"):
            one.run(subject, _context())


def test_zeros_grow_with_training_until_all_are_there() -> None:
    context = _context(train=Samples(x=SAMPLES.x))
    one = Prune(course="polynomial", pattern="block2x2", sparsity=0.4, epochs=2, end=0.5, batch_size=16)

    after = one.run(_subject(), context)

    assert one.ensures(_subject(), after) == ()
    zeros = np.concatenate([held.zeros.reshape(-1) for held in after.held.values() if held.zeros is not None])
    assert zeros.mean() == pytest.approx(0.4, abs=0.02)


def test_training_after_the_first_shot_keeps_zeros_and_values() -> None:
    context = _context(train=Samples(x=SAMPLES.x))
    steps = (Prune(epochs=1, batch_size=16), Cluster(epochs=1, k=8, batch_size=16))

    subject = _subject()
    for one in steps:
        before, subject = subject, one.run(subject, context)
        assert one.ensures(before, subject) == ()

    assert all(isinstance(held, Held) and held.centroids == 8 for held in subject.held.values())
    assert all(len(np.unique(held.codes)) <= 8 for held in subject.held.values())  # type: ignore[arg-type]
