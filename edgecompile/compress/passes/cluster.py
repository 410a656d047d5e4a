"""Let the weights of each tensor share few values, exactly as many as the device will store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from edgecompile.compress.context import Context
from edgecompile.compress.contract import PROPERTIES
from edgecompile.compress.oneshot.apply import apply
from edgecompile.compress.oneshot.choose import layers, samples
from edgecompile.compress.oneshot.codebook import INITS
from edgecompile.compress.oneshot.fit import Form
from edgecompile.compress.oneshot.sequence import Plan
from edgecompile.compress.option import option
from edgecompile.compress.promises import broken_promises
from edgecompile.compress.sites import Site
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.subject import NOTHING, Subject
from edgecompile.compress.training.options import Trained
from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import EdgecompileError, rejected

METHODS = ("oneshot", "kmeans")


@dataclass(frozen=True, kw_only=True)
class Cluster(Trained):
    """Share at most k values in every weight tensor, a scale per channel apart; the integers share them too.

    Values are whole numbers from -127 to 127 from the start, so quantization changes none. Han et al., "Deep
    Compression", 2016 (sharing); Frantar et al., "GPTQ", 2022 (the other weights of a row make up for each rounding).
    Keeps sparsity, rank and channels.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "float"

    k: int = option(16, "most values of a tensor, zero among them", minimum=2, maximum=255)
    method: str = option(
        "oneshot",
        "what chooses values: least output error on samples, or k-means of the weights",
        choices=METHODS,
    )
    init: str = option("density", "where k-means begins", choices=INITS)
    keep_zeros: bool = option(True, "keep zero as one of the values; pruned weights need it and always have it")
    learning_rate: float = option(2e-3, "step size at its highest, relative to the size of the weights", above=0)
    skip: tuple[str, ...] = option((), "layers left alone: regular expressions, found in their names", kind="patterns")

    @property
    def makes(self) -> frozenset[str]:
        """Sharing."""
        return frozenset({"sharing"})

    @property
    def keeps(self) -> frozenset[str]:
        """Zeros stay zeros; values of few bits become those of the codebook."""
        return frozenset(PROPERTIES) - {"few bits"}

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with shared values, trained further where there are training samples.

        Raises EC320 without weights, EC321 where no tensor has more weights than ``k``, EC322 for ``skip``; and what
        training raises. Tensors of no more than ``k`` weights are left as they are.
        """
        network = own_constants(subject.network)
        chosen = layers(network, self.skip, "cluster")
        large = [site for site in chosen if network.main.tensors[site.weights].elements > self.k]
        if not large:
            raise self._too_many(max(network.main.tensors[site.weights].elements for site in chosen))
        subject = replace(subject, network=network)
        plans = {site.key: self._plan(subject, site, context) for site in large}
        seen = None
        if self.method == "oneshot":
            seen = samples(context, "cluster", "values are the k-means of the weights, whatever they do to outputs")
        shared = apply(subject, plans, seen, context, "cluster")
        if not self.epochs or context.train is None:
            return shared
        from edgecompile.compress.training.trainer import train

        return train(shared, self.training(), context)

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC307 where a tensor has more values than promised, or lost a zero."""
        return broken_promises(before, after)

    def undone_help(self, lost: str) -> str:
        """The order that preserves it."""
        return f"put `cluster` before the step that makes {lost}, or ask for `k = 15`, which 4 bits can tell apart"

    def _plan(self, subject: Subject, site: Site, context: Context) -> Plan:
        held = subject.held.get(site.key, NOTHING)
        form = Form(
            centroids=self.k,
            init=self.init,
            keep_zero=self.keep_zeros or held.zeros is not None,
            per_row=context.scale_axis(site.operator, site.axis) is not None,
            seed=context.seed,
        )
        return Plan(pattern=held.pattern, form=form)

    def _too_many(self, largest: int) -> EdgecompileError:
        return rejected(
            "EC321",
            f"`k = {self.k}` is more values than any tensor has weights",
            Location(detail="`cluster`, `k`"),
            (f"limit: {largest - 1}, one fewer than the largest tensor has weights; found: {self.k}",),
            ("ask for fewer values", "or take `cluster` out of the recipe"),
        )
