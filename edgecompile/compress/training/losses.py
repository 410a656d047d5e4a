"""Losses on logits: against labels, against a teacher's answers (Hinton et al. 2015), between inner tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgecompile.compress.training.labels import Task
from edgecompile.libs.keras import tensorflow

# Below it a probability's logarithm says nothing: half a step of an int8 output.
_LEAST = 1 / 512


def logits_of(task: Task, outputs: Sequence[Any], watched: Mapping[int, Any]) -> Any:
    """What a network says to a task before its last activation: ``float32[rows, classes]``, for values ``[n, all]``."""
    tf = tensorflow()
    end = task.end
    if end.tensor is not None:
        raw = watched[end.tensor] * end.factor
    else:
        raw = outputs[end.position]
        raw = tf.math.log(tf.maximum(raw, _LEAST)) if task.from_probabilities else raw
    return _rows(task, raw)


def label_loss(task: Task, logits: Any, targets: Any) -> Any:
    """The mean loss of a batch against its labels ``float32[n, *output shape]``."""
    tf = tensorflow()
    targets = _rows(task, targets)
    if task.kind == "classes":
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
    if task.kind == "binary":
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits))
    return tf.reduce_mean(tf.math.squared_difference(logits, targets)) / task.variance


def teacher_loss(task: Task, student: Any, teacher: Any, temperature: float) -> Any:
    """The mean divergence of a student's logits from its teacher's; 0 where they agree.

    T² KL(σ(t/T) ‖ σ(s/T)): Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015, section 2;
    T² keeps the gradient's size. Values have no temperature: the mean squared difference.
    """
    tf = tensorflow()
    teacher = tf.stop_gradient(teacher)
    if task.kind == "values":
        return tf.reduce_mean(tf.math.squared_difference(student, teacher)) / task.variance
    s, t = student / temperature, teacher / temperature
    if task.kind == "classes":
        soft = tf.nn.softmax(t)
        rows = tf.reduce_sum(soft * (tf.nn.log_softmax(t) - tf.nn.log_softmax(s)), axis=-1)
    else:
        soft = tf.nn.sigmoid(t)
        cross, own = (tf.nn.sigmoid_cross_entropy_with_logits(soft, x) for x in (s, t))
        rows = cross - own
    return temperature**2 * tf.reduce_mean(rows)


def feature_loss(student: Any, teacher: Any) -> Any:
    """How far an inner tensor is from the teacher's, over the teacher's own mean square.

    Romero et al., "FitNets: Hints for Thin Deep Nets", 2015, equation 3, without a regressor: shapes agree.
    """
    tf = tensorflow()
    teacher = tf.stop_gradient(teacher)
    power = tf.reduce_mean(tf.square(teacher))
    return tf.reduce_mean(tf.math.squared_difference(student, teacher)) / (power + 1e-6)


def _rows(task: Task, values: Any) -> Any:
    tf = tensorflow()
    if task.kind == "classes":
        return tf.reshape(values, [-1, task.end.classes])
    size = 1
    for dimension in task.end.shape:
        size *= dimension
    return tf.reshape(values, [-1, size])
