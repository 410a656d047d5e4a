"""TF-MOT's own recipes, as its guides give them: one process trains one recipe at one learning rate.

python _tfmot.py '{"model": ..., "data": ..., "recipe": ..., "rate": ..., "epochs": ..., "out": ...}'

Prints one JSON line: the validation accuracy of the int8 artifact that it wrote. The model is tf_keras's; the best
epoch is chosen by the validation accuracy of the model in training.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

RECIPES = ("finetune", "qat", "prune50", "cluster16", "cluster32", "prune50-cluster16", "pcqat")
SEED, BATCH = 0, 64


def main() -> None:
    """Train, convert, say what came of it."""
    import numpy as np
    import tf_keras

    order = json.loads(sys.argv[1])
    tf_keras.utils.set_random_seed(SEED)
    data = dict(np.load(order["data"]))
    model = tf_keras.models.load_model(order["model"], compile=False)
    trained = _train(model, order, data)
    if order["recipe"] == "finetune":
        trained.save(order["out"], include_optimizer=False)
        print(json.dumps({"validation": _keras_accuracy(trained, data)}))
        return
    content = _int8(trained, data)
    with open(order["out"], "wb") as file:
        file.write(content)
    print(json.dumps({"validation": _accuracy(content, data["x_val"], data["y_val"])}))


def _train(model: Any, order: dict[str, Any], data: dict[str, Any]) -> Any:
    recipe, rate, epochs = order["recipe"], order["rate"], order["epochs"]
    half = max(epochs // 2, 1)
    if recipe == "finetune":
        return _fit(model, data, rate, epochs, order["flip"])
    if recipe == "qat":
        return _fit(_mot().quantization.keras.quantize_model(model), data, rate, epochs, order["flip"])
    if recipe == "prune50":
        return _pruned(model, data, rate, epochs, order["flip"])
    if recipe.startswith("cluster"):
        return _clustered(model, data, rate, epochs, order["flip"], int(recipe[7:]), sparse=False)
    pruned = _pruned(model, data, rate, half, order["flip"])
    if recipe == "prune50-cluster16":
        return _clustered(pruned, data, rate, epochs - half, order["flip"], 16, sparse=True)
    quarter = max((epochs - half) // 2, 1)
    clustered = _clustered(pruned, data, rate, quarter, order["flip"], 16, sparse=True)
    mot = _mot().quantization.keras
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
        default_8bit_cluster_preserve_quantize_scheme as preserving,
    )

    annotated = mot.quantize_annotate_model(clustered)
    chosen = preserving.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=True)
    return _fit(mot.quantize_apply(annotated, chosen), data, rate, max(epochs - half - quarter, 1), order["flip"])


def _pruned(model: Any, data: dict[str, Any], rate: float, epochs: int, flip: bool) -> Any:
    sparsity = _mot().sparsity.keras
    steps = epochs * -(-len(data["x_train"]) // BATCH)
    schedule = sparsity.PolynomialDecay(0.0, 0.5, 0, max(int(0.6 * steps), 1))
    wrapped = sparsity.prune_low_magnitude(model, pruning_schedule=schedule)
    fitted = _fit(wrapped, data, rate, epochs, flip, [sparsity.UpdatePruningStep()], last=True)
    return sparsity.strip_pruning(fitted)


def _clustered(model: Any, data: dict[str, Any], rate: float, epochs: int, flip: bool, count: int, sparse: bool) -> Any:
    clustering = _mot().clustering.keras
    options: dict[str, Any] = {
        "number_of_clusters": count,
        "cluster_centroids_init": clustering.CentroidInitialization.KMEANS_PLUS_PLUS,
    }
    if sparse:
        from tensorflow_model_optimization.python.core.clustering.keras.experimental import cluster

        wrapped = cluster.cluster_weights(model, preserve_sparsity=True, **options)
    else:
        wrapped = clustering.cluster_weights(model, **options)
    return clustering.strip_clustering(_fit(wrapped, data, rate, epochs, flip))


def _fit(
    model: Any, data: dict[str, Any], rate: float, epochs: int, flip: bool, more: Any = (), last: bool = False
) -> Any:
    """Adam, cosine, flips where the other side has them; the weights of the best epoch by validation accuracy."""
    import numpy as np
    import tf_keras

    steps = -(-len(data["x_train"]) // BATCH)
    schedule = tf_keras.optimizers.schedules.CosineDecay(rate, steps * epochs)
    model.compile(tf_keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    draw = np.random.default_rng(SEED)
    best, weights = -1.0, model.get_weights()
    for callback in more:
        callback.set_model(model)
        callback.on_train_begin()
    for epoch in range(epochs):
        order = draw.permutation(len(data["x_train"]))
        x, y = data["x_train"][order], data["y_train"][order]
        if flip:
            turned = draw.random(len(x)) < 0.5
            x[turned] = x[turned][:, :, ::-1]
        model.fit(x, y, BATCH, epochs=1, shuffle=False, verbose=0, callbacks=list(more))
        score = float(model.evaluate(data["x_val"], data["y_val"], verbose=0)[1])
        if score > best and (not last or epoch == epochs - 1):
            best, weights = score, model.get_weights()
    model.set_weights(weights)
    return model


def _int8(model: Any, data: dict[str, Any]) -> bytes:
    import tensorflow as tf

    samples = data["x_train"][:200]
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([samples[i : i + 1]] for i in range(len(samples)))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def _keras_accuracy(model: Any, data: dict[str, Any]) -> float:
    answers = model.predict(data["x_val"], verbose=0).argmax(-1)
    return float((answers == data["y_val"]).mean())


def _accuracy(content: bytes, x: Any, y: Any) -> float:
    from _artifact import top1

    return top1(content, x, y)


def _mot() -> Any:
    import tensorflow_model_optimization

    return tensorflow_model_optimization


if __name__ == "__main__":
    main()
