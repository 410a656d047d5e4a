"""Split large layers in two of low rank: fewer weights and less work for one operator more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from edgecompile.compress.context import Context
from edgecompile.compress.option import option
from edgecompile.compress.sites import Site
from edgecompile.compress.structure.counts import count
from edgecompile.compress.structure.factor import Factors, Moments
from edgecompile.compress.structure.insert import insert
from edgecompile.compress.structure.promises import still_held
from edgecompile.compress.structure.ranks import (
    FORMS,
    Layer,
    Split,
    allocate,
    choices,
    forms_of,
    four_axes,
    layers_of,
    moved,
    pays,
    split_at,
    split_for_energy,
)  # fmt: skip
from edgecompile.compress.structure.rows import rows_of
from edgecompile.compress.structure.samples import samples_for
from edgecompile.compress.subject import Subject
from edgecompile.compress.training.options import Trained
from edgecompile.config.table import demand
from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
_SAMPLES, _MOST_ROWS, _ROWS_EACH_COLUMN, _USUAL = 256, 40_000, 16, 0.5
_WORDS = {"macs": "multiply-accumulates", "parameters": "parameters", "bytes": "bytes of weights"}
_PROBE = 0.5  # the share of its rank at which it is measured how much a layer matters


@dataclass(frozen=True, kw_only=True)
class LowRank(Trained):
    """Split dense layers and convolutions in two or three of low rank, where it pays, and train.

    Data-aware: what is left out is what the layer's inputs on calibration data need least. Depthwise and transpose
    convolutions stay. Under a budget ranks follow from how far the network's outputs move. Keeps channels.
    Zhang et al. 2015 (svd), Jaderberg et al. 2014 (spatial), Kim et al. 2016 (tucker).
    """

    parameters: float | None = option(
        None, "share of the parameters to keep; 0.5 without any goal", above=0, below=1, kind="number"
    )
    macs: float | None = option(None, "share of the multiply-accumulates to keep", above=0, below=1, kind="number")
    flash: float | None = option(None, "share of the bytes of int8 weights to keep", above=0, below=1, kind="number")
    energy: float | None = option(
        None, "share of each layer's output variance to keep", above=0, below=1, kind="number"
    )
    ratio: float | None = option(None, "share of each layer's full rank to keep", above=0, below=1, kind="number")
    form: str = option("auto", "how convolutions are split", choices=("auto", *FORMS))
    multiple_of: int = option(4, "ranks are multiples of this, as kernels like them", minimum=1)
    least_saving: float = option(0.1, "a layer is split when it saves at least that share", minimum=0, below=1)
    epochs: int = option(8, "how often training sees every sample; 0: no training", minimum=0, maximum=10_000)

    phase: ClassVar[Literal["float", "quantized"]] = "float"

    @property
    def makes(self) -> frozenset[str]:
        """Layers of low rank."""
        return frozenset({"rank"})

    @property
    def keeps(self) -> frozenset[str]:
        """Channels that went stay away; zeros and shared values are lost in the products."""
        return frozenset({"channels", "rank"})

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with split layers.

        Raises BadInputError EC332 for goals that exclude each other; RejectedError EC333 where no split pays, EC334
        for a budget out of reach; and what training raises. Adds EC335 to the diagnostics without samples.
        """
        demand(*self.contradictions())
        without = "what a layer leaves out is chosen by its weights alone"
        x = samples_for(context, _SAMPLES, "low_rank", without)
        layers = _layers(subject.network, x, context.seed)
        chosen = self._chosen(subject.network, layers, x)
        if not chosen:
            raise _nothing(layers)
        network = insert(subject.network, chosen)
        smaller = replace(subject, network=network, held=still_held(subject, network))
        if not self.epochs:
            return smaller
        from edgecompile.compress.training.trainer import train

        return train(smaller, self.training(), context)

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC334 where the network is larger than was asked."""
        measure, share = self._budget()
        if measure is None:
            return ()
        limit, found = share * count(before.network, measure), count(after.network, measure)
        if found <= limit:
            return ()
        return (Diagnostic(code="EC334", message=f"{found} {_WORDS[measure]} are left, and {limit:.0f} were asked"),)

    def undone_help(self, lost: str) -> str:
        """Zeros and shared values are made after layers were split."""
        return f"put `low_rank` before the step that makes {lost}"

    def contradictions(self) -> tuple[Diagnostic, ...]:
        """EC332 for more than one goal."""
        names = ("parameters", "macs", "flash", "energy", "ratio")
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) < 2:
            return ()
        return (
            Diagnostic(
                code="EC332",
                message="`low_rank` has goals that exclude each other",
                location=Location(detail="`low_rank`"),
                notes=(f"limit: one of {', '.join(names)}; found: {', '.join(given)}",),
                help=(f"keep `{given[0]}` and take out the others",),
            ),
        )

    def _budget(self) -> tuple[str | None, float]:
        """The measure of the budget, and the share to keep; None where each layer's rank stands by itself."""
        if self.energy is not None or self.ratio is not None:
            return None, 1.0
        for measure, share in (("macs", self.macs), ("bytes", self.flash)):
            if share is not None:
                return measure, share
        return "parameters", self.parameters or _USUAL

    def _chosen(
        self, network: Network, layers: Sequence[Layer], x: Sequence[Array] | None
    ) -> dict[int, tuple[Site, Factors]]:
        measure, share = self._budget()
        if measure is not None:
            return self._under_budget(network, layers, x, measure, share)
        found = {}
        for layer in layers:
            splits = [s for form in forms_of(layer.weights, self.form) if (s := self._split(form, layer))]
            paying = [s for s in splits if pays(network, layer.site, s, "parameters", self.least_saving)]
            if paying:
                best = min(paying, key=lambda one: (sum(part.size for part in one.parts), one.error))
                found[layer.site.weights] = (layer.site, best)
        return found

    def _split(self, form: str, layer: Layer) -> Factors | None:
        if self.energy is not None:
            return split_for_energy(form, self.energy, layer, self.multiple_of)
        assert self.ratio is not None
        return split_at(form, self.ratio, layer, self.multiple_of)

    def _under_budget(
        self, network: Network, layers: Sequence[Layer], x: Sequence[Array] | None, measure: str, share: float
    ) -> dict[int, tuple[Site, Factors]]:
        weights = _sensitivities(network, layers, x)
        options = [
            choices(network, layer, self.form, self.multiple_of, measure, self.least_saving, weight)
            for layer, weight in zip(layers, weights, strict=True)
        ]
        if all(len(several) == 1 for several in options):
            return {}
        whole = count(network, measure)
        fixed = whole - sum(several[0].cost for several in options)
        places = allocate(options, share * whole, fixed)
        picked = [several[place] for several, place in zip(options, places, strict=True)]
        if (total := fixed + sum(split.cost for split in picked)) > share * whole:
            raise _out_of_reach(measure, share * whole, total, self.multiple_of)
        return _found(layers, picked)


def _found(layers: Sequence[Layer], picked: Sequence[Split]) -> dict[int, tuple[Site, Factors]]:
    return {
        layer.site.weights: (layer.site, split.factors)
        for layer, split in zip(layers, picked, strict=True)
        if split.factors is not None
    }


def _layers(network: Network, x: Sequence[Array] | None, seed: int) -> tuple[Layer, ...]:
    """Layers that can be split, with the moments of what they read on samples ``x``."""
    found = []
    for site in layers_of(network):
        weights = four_axes(network, site)
        moments = Moments.unknown(weights[0].size)
        if x is not None:
            from edgecompile.compress.simulate.run import run

            operator = network.main.operators[site.operators[0]]
            _, values = run(network, x, watch=[operator.inputs[0]])
            limit = min(_MOST_ROWS, _ROWS_EACH_COLUMN * weights[0].size)
            shape = network.main.tensors[site.weights].shape
            moments = Moments.of(rows_of(values[operator.inputs[0]], operator, shape, limit, seed))
        found.append(Layer(site=site, weights=weights, moments=moments))
    return tuple(found)


def _sensitivities(network: Network, layers: Sequence[Layer], x: Sequence[Array] | None) -> list[float]:
    """How far the outputs move for a layer's relative error of 1, measured at half its rank; 1 without samples."""
    if x is None:
        return [1.0] * len(layers)
    from edgecompile.compress.simulate.run import run

    wanted, _ = run(network, x)
    found = []
    for layer in layers:
        probe = split_at("svd", _PROBE, layer, 1)
        if probe is None or probe.error < 1e-9:
            found.append(1.0)
            continue
        outputs, _ = run(insert(network, {layer.site.weights: (layer.site, probe)}), x)
        found.append(moved(wanted, outputs) / probe.error)
    return found


def _nothing(layers: Sequence[Layer]) -> EdgecompileError:
    widest = max((layer.weights.shape for layer in layers), key=lambda shape: int(np.prod(shape)), default=None)
    return rejected(
        "EC333",
        "`low_rank` finds no layer that it pays to split",
        Location(detail="`low_rank`"),
        (
            f"{len(layers)} dense layers and convolutions were looked at",
            *((f"the largest has {widest[0]} outputs and {np.prod(widest[1:])} inputs",) if widest else ()),
            "depthwise and transpose convolutions, and those with groups, are not split",
        ),
        ("ask for a smaller rank", "or take `low_rank` out of the recipe"),
    )


def _out_of_reach(measure: str, goal: float, least: int, multiple: int) -> EdgecompileError:
    return rejected(
        "EC334",
        f"`low_rank` cannot bring the network down to the {_WORDS[measure]} asked",
        Location(detail="`low_rank`"),
        (
            f"limit: {goal:.0f} {_WORDS[measure]}; found: {least} at the least",
            f"ranks are multiples of {multiple}, and what cannot be split costs what it cost",
        ),
        ("ask for less", "put `prune_channels` before `low_rank`"),
    )
