"""What the user asked for: the project file, flags and environment, after merging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgecompile.core.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Preprocess:
    """What the device must do to a raw input before the model: ``x * scale + offset``.

    ``scale`` and ``offset`` are one number or one per channel (last axis). ``resize`` is
    ``(height, width)`` for image folders, ``color`` is ``rgb`` or ``grayscale``. For WAV
    folders: ``sample_rate`` in Hz and ``length`` in samples (cut or zero-padded at the end).
    """

    scale: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()
    resize: tuple[int, int] | None = None
    color: str | None = None
    sample_rate: int | None = None
    length: int | None = None


FEATURES = ("log_mel", "mfcc")


@dataclass(frozen=True, kw_only=True)
class Features:
    """What the device computes from sound before the model: one row for each window of samples.

    ``kind`` is one of ``FEATURES``, None: the model takes the samples. ``window`` and ``step`` count samples,
    ``bands`` of the mel scale reach from ``low_hz`` to ``high_hz`` (None: half of the sample rate);
    ``coefficients`` are kept of the cosine transform of a row of ``mfcc``.
    """

    kind: str | None = None
    window: int = 480
    step: int = 320
    bands: int = 40
    low_hz: float = 20.0
    high_hz: float | None = None
    coefficients: int = 10


# Enough for stable ranges; TensorFlow's guide to quantization speaks of 100 to 500.
USUAL_CALIBRATION_SAMPLES = 200


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """Where data comes from and how it is split; ``validation`` is a share of the training part.

    ``calibration_samples`` None: the usual number, or what there is where that is less. ``searched`` is the share of
    the training part that a search judges by: nothing is trained on it, and with ``as_test`` it stands in for the
    test part.
    """

    source: str | None = None
    labels: str | None = None
    validation: float = 0.1
    calibration_samples: int | None = None
    test: float = 0.2
    target_column: str | None = None
    searched: float = 0.0
    as_test: bool = False
    preprocess: Preprocess = field(default_factory=Preprocess)
    features: Features = field(default_factory=Features)

    @property
    def most_calibration_samples(self) -> int:
        """The number asked for, else the usual one."""
        return USUAL_CALIBRATION_SAMPLES if self.calibration_samples is None else self.calibration_samples


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """``metric``: top1, mse, auc, miou or ``module:function``; ``max_drop`` in the metric's unit, None: no limit."""

    metric: str | None = None
    max_drop: float | None = None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Bytes the user grants, beside what the device has; None: whatever the device has."""

    flash_bytes: int | None = None
    ram_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class ExternalCompiler:
    """How the user runs the device's own compiler.

    ``command`` are the words in front of its arguments (None: the program on the search path); ``{folder}`` in it
    stands for the folder with the model. ``enabled`` False: not at all. ``timeout_s`` None: as the profile says.
    """

    command: str | None = None
    enabled: bool = True
    timeout_s: int | None = None


@dataclass(frozen=True, kw_only=True)
class Android:
    """What an app is like that takes the model in.

    ``package`` is the Java package of generated classes, ``module`` the Gradle module that gets the model;
    ``download_limit_bytes`` what the store lets it weigh. None: the module's own, no module, the store's usual limit.
    """

    package: str | None = None
    module: Path | None = None
    download_limit_bytes: int | None = None


# What recipes are trained on: graphics cards where there are any, or the processor in any case.
TRAIN_ON = ("auto", "cpu")
# What counts where one thing costs another, such as smaller weights more instructions.
GOALS = ("balanced", "size", "speed")


@dataclass(frozen=True, kw_only=True)
class Project:
    """One build request. Paths are absolute; ``base`` is the folder relative names were read from.

    ``model`` is a path or ``module:function`` (``file.py:function`` too). ``numerics``,
    ``io_dtype`` None: the target's recommendation. ``no_rewrite`` names rewrites of the target's profile to leave out.
    ``min_runtime`` is the oldest TensorFlow Lite that must read the model, such as ``2.14``.
    ``segments`` is the number of devices that share the work; ``multiple_subgraphs``: the accelerator runs every part
    into which the other operators cut the model, not only those that its compiler keeps by itself.
    ``emit`` names emitters to run beside those of the target's profile. ``optimize`` is one of ``GOALS``.
    ``input_shape``: of inputs that the model leaves open, as ``core/input_shape`` reads them.
    ``train_on`` is one of ``TRAIN_ON``. ``threads`` are TensorFlow's, 0: as many as ever, so that results are the same
    everywhere; a search, which builds many at once, gives each its own number.
    """

    model: str
    base: Path
    targets: tuple[str, ...]
    output: Path
    custom: str | None = None
    input_shape: tuple[str, ...] = ()
    recipe: Recipe = field(default_factory=Recipe)
    numerics: str | None = None
    io_dtype: str | None = None
    calibration: str = "minmax"
    seed: int = 0
    data: DataSpec = field(default_factory=DataSpec)
    accuracy: Accuracy = field(default_factory=Accuracy)
    budget: Budget = field(default_factory=Budget)
    trust: bool = False
    random_calibration: bool = False
    segments: int = 1
    multiple_subgraphs: bool = False
    no_rewrite: tuple[str, ...] = ()
    min_runtime: str | None = None
    compiler: ExternalCompiler = field(default_factory=ExternalCompiler)
    emit: tuple[str, ...] = ()
    optimize: str = "balanced"
    train_on: str = "auto"
    threads: int = 0
    android: Android = field(default_factory=Android)
    origins: Mapping[str, Any] = field(default_factory=dict)
