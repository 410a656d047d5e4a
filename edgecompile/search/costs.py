"""What a genome cannot cost less than, from the first build alone: discards what cannot fit before it is trained.

The bounds are optimistic on purpose: they take the first build's weights, make the smallest of them zero or let them
share values by quantiles, and store them with the very account of the C kernels. A genome that is over budget even so
is not built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.compress.sites import sites_of, weights_of
from edgecompile.core.target import Target
from edgecompile.core.units import group
from edgecompile.ir import reader
from edgecompile.kernels.weight_forms import best_form, blocks_of
from edgecompile.search.genome import Genome
from edgecompile.search.objectives import Figures, Limits

Array = np.ndarray[Any, Any]
# Training moves zeros between layers, and code differs by form: a bound must not be passed by less than that.
_SLACK = 0.1
# How little of its arena or of its weights a network with that share of the products may need: the share squared.
_POWER = 2


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The first build: its int8 weights, output channels first, and its figures."""

    genome: Genome
    codes: tuple[Array, ...]
    figures: Figures
    target: Target

    def why_not(self, genome: Genome, limits: Limits) -> str:
        """Why no build of the genome can meet the limits, in words; empty where one may."""
        return self._over_flash(genome, limits) or self._over_ram(genome, limits)

    def weights_bytes(self, genome: Genome) -> float:
        """The least that the weights of a genome may take."""
        in_c = "the model file" not in self.figures.methods.get("flash", "the model file")
        forms = self.target.weight_forms if in_c else ("dense",)
        size = sum(_least(codes, genome, forms) for codes in self.codes)
        return float(size * _left(genome))

    def _over_flash(self, genome: Genome, limits: Limits) -> str:
        flash = self.figures.values.get("flash")
        if flash is None or limits.flash_bytes is None or not self.codes or not self._alike(genome):
            return ""
        weights = self.weights_bytes(genome) * (1 - _SLACK)
        beside = flash - sum(_least(codes, self.genome, self.target.weight_forms) for codes in self.codes)
        least = max(beside, 0) * _left(genome) * (1 - _SLACK) + weights
        return _told("flash", least, limits.flash_bytes)

    def _over_ram(self, genome: Genome, limits: Limits) -> str:
        ram = self.figures.values.get("ram")
        if ram is None or limits.ram_bytes is None or not self._alike(genome):
            return ""
        return _told("RAM", ram * (1 - _SLACK) * _left(genome), limits.ram_bytes)

    def _alike(self, genome: Genome) -> bool:
        """Of other numbers nothing is known."""
        return bool(genome["numerics"] == self.genome["numerics"])


def baseline(genome: Genome, folder: Path, figures: Figures, target: Target) -> Baseline:
    """From the folder of the first build."""
    files = sorted(folder.glob("*.tflite"))
    codes: tuple[Array, ...] = ()
    if files:
        network = reader.read(files[0].read_bytes(), files[0].name)
        sites = [site for site in sites_of(network) if network.main.tensors[site.weights].dtype == "int8"]
        codes = tuple(_rows(weights_of(network, site), site.axis) for site in sites)
    return Baseline(genome=genome, codes=codes, figures=figures, target=target)


def _rows(weights: Array, axis: int | None) -> Array:
    return weights if axis in (None, 0) else np.ascontiguousarray(np.moveaxis(weights, int(axis or 0), 0))


def _least(codes: Array, genome: Mapping[str, Any], forms: tuple[str, ...]) -> int:
    if codes.ndim not in (2, 4):
        return int(codes.nbytes)
    made = codes
    if genome["zeros"] == "block2x2":
        made = _with_zeros(made, genome["sparsity"])
    if genome["values"] != "all":
        made = _with_values(made, 15 if genome["values"] == "4 bits" else genome["values"])
    return best_form(made, forms)[1]


def _with_zeros(codes: Array, sparsity: float) -> Array:
    """int8[o, ...] with whole blocks of zeros, the smallest ones."""
    sizes = np.abs(blocks_of(codes).astype(np.int32)).sum(axis=(2, 3))
    gone = sizes <= np.quantile(sizes, sparsity)
    flat = codes.reshape(len(codes), -1, codes.shape[-1])
    pairs = gone.reshape(len(gone), flat.shape[1], -1)
    mask = pairs.repeat(2, axis=0).repeat(2, axis=2)[: flat.shape[0], :, : flat.shape[2]]
    return np.where(mask, 0, flat).astype(np.int8).reshape(codes.shape)


def _with_values(codes: Array, count: int) -> Array:
    """The codes rounded to few values of their own, zero among them."""
    levels = np.unique(np.append(np.quantile(codes, np.linspace(0, 1, count - 1)).astype(np.int8), 0))
    nearest = np.abs(codes.reshape(-1, 1).astype(np.int16) - levels.astype(np.int16)).argmin(axis=1)
    rounded: Array = levels[nearest].reshape(codes.shape).astype(np.int8)
    return rounded


def _left(genome: Genome) -> float:
    """The share of weights and activations that may be left when layers are narrower or split."""
    return float(genome["kept"] ** _POWER) if genome["shape"] != "whole" else 1.0


def _told(kind: str, least: float, limit: int) -> str:
    if least <= limit:
        return ""
    return f"{kind}: {group(round(least))} bytes at the least, {group(limit)} are granted"
