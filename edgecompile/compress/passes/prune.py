"""Make the weights that matter least zero, in a pattern that kernels can leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.contract import PROPERTIES
from edgecompile.compress.oneshot.allocate import ALLOCATIONS, rates
from edgecompile.compress.oneshot.apply import apply
from edgecompile.compress.oneshot.choose import layers, samples
from edgecompile.compress.oneshot.gradual import Gradual
from edgecompile.compress.oneshot.masks import holds, takes
from edgecompile.compress.oneshot.neighbours import in_better_order
from edgecompile.compress.oneshot.search import most_zeros
from edgecompile.compress.oneshot.sequence import Plan, saliencies
from edgecompile.compress.option import option
from edgecompile.compress.promises import broken_promises
from edgecompile.compress.sites import Site
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.subject import NOTHING, PATTERNS, Held, Subject
from edgecompile.compress.training.options import Trained
from edgecompile.config.table import demand
from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import rejected
from edgecompile.core.progress import Silent
from edgecompile.core.units import counted
from edgecompile.ir.layer_names import short_name

Array = np.ndarray[Any, Any]
METHODS = ("oneshot", "magnitude")
COURSES = ("constant", "polynomial")
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Prune(Trained):
    """Make weights zero: those whose loss the others can make up for best, or the smallest.

    Layers take unlike shares of the zeros, by scores that compare across layers (Lee et al., "LAMP", 2021). With
    samples and ``method = "oneshot"`` the weights left are fitted to the outputs as they were (Hassibi and Stork,
    "Optimal Brain Surgeon", 1992; Frantar and Alistarh, "SparseGPT", 2023); training starts there. Blocks lose less
    once channels stand in the order that is best for them (``oneshot/pairing.py``). Keeps rank and channels.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "float"

    sparsity: float = option(0.5, "share of zeros in the layers touched, over all of them", above=0, below=1)
    pattern: str = option("unstructured", "where zeros lie", choices=PATTERNS)
    method: str = option("oneshot", "what tells how little a weight matters", choices=METHODS)
    allocation: str = option("lamp", "how layers divide the zeros among them", choices=ALLOCATIONS)
    keep: float = option(0.05, "share of its weights that every layer keeps", minimum=0, below=1)
    skip: tuple[str, ...] = option((), "layers left alone: regular expressions, found in their names", kind="patterns")
    course: str = option(
        "constant",
        "all zeros before training, or more and more by size as it goes (cubic: Zhu and Gupta, 2017)",
        choices=COURSES,
    )
    reorder: bool = option(
        True, "block2x2: put channels of like importance side by side before; the network computes the same"
    )
    learning_rate: float = option(1e-2, "step size at its highest, relative to the size of the weights", above=0)
    begin: float = option(0.0, "share of training after which a polynomial course begins", minimum=0, below=1)
    max_drop: float | None = option(
        None,
        "how much worse it may score on validation samples before training; `sparsity` is then the most it may reach",
        minimum=0,
        kind="number",
    )
    end: float = option(0.6, "share of training after which it is through", above=0, maximum=1)

    @property
    def makes(self) -> frozenset[str]:
        """Sparsity."""
        return frozenset({"sparsity"})

    @property
    def keeps(self) -> frozenset[str]:
        """Zeros add to those there are; the weights left are fitted anew, which no codebook survives."""
        return frozenset(PROPERTIES) - {"sharing", "few bits"}

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with zeros, trained further where there are training samples.

        Raises EC320 without weights or where none can have the pattern, EC322 for ``skip``, EC323 for options that
        contradict each other; and what training raises. Adds EC325 for layers that cannot have the pattern.
        """
        demand(*self.contradictions())
        subject = replace(subject, network=own_constants(subject.network))
        chosen = layers(subject.network, self.skip, "prune")
        takers = self._takers(subject, chosen, context)
        training = self.epochs > 0 and context.train is not None
        gradual = training and self.course == "polynomial"
        seen = None
        if self.method == "oneshot" and not gradual:
            seen = samples(context, "prune", "the smallest weights go, whatever they do to outputs")
        scores: Mapping[str, Array] = saliencies(subject.network, [site.key for site in takers], seen, context.seed)
        if self.pattern == "block2x2" and self.reorder:
            shares = rates(scores, self.sparsity, self.pattern, self.allocation, 1 - self.keep)
            subject, scores = in_better_order(subject, takers, scores, shares, seen, context.diagnostics)
        if gradual:
            return self._gradually(subject, takers, context)
        pruned = self._at_once(subject, chosen, scores, seen, context)
        if not training:
            return pruned
        from edgecompile.compress.training.trainer import train

        return train(pruned, self.training(), context)

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC307 where weights that were held at zero are not, or lie in another pattern."""
        askew = tuple(
            Diagnostic(
                code="EC307",
                message=f"zeros of `{short_name(key)}` are not {held.pattern}",
                location=Location(layer=short_name(key)),
            )
            for key, held in after.held.items()
            if held.zeros is not None and not holds(held.zeros, held.pattern)
        )
        return (*broken_promises(before, after), *askew)

    def undone_help(self, lost: str) -> str:
        """The order that preserves it."""
        return f"put `prune` before the step that makes {lost}: zeros survive it"

    def contradictions(self) -> tuple[Diagnostic, ...]:
        """EC323 for each pair of options that cannot both be met."""
        pairs = (
            (
                self.pattern == "2:4" and self.sparsity != 0.5,
                "`2:4` makes half of the weights zero",
                f"`sparsity` must be 0.5 with it; found: {self.sparsity}",
            ),
            (
                self.max_drop is not None and (self.course != "constant" or self.pattern == "2:4"),
                "`max_drop` looks for the share of zeros",
                f"`2:4` has one share only, and a course has many; found: `{self.pattern}`, `{self.course}`",
            ),
            (
                self.course == "polynomial" and self.begin >= self.end,
                "`begin` must lie before `end`",
                f"`begin` must be below {self.end}; found: {self.begin}",
            ),
            (
                self.pattern != "2:4" and self.sparsity > 1 - self.keep,
                "layers keep more than `sparsity` leaves",
                f"`sparsity` must be at most {1 - self.keep:.3g} with `keep = {self.keep}`; found: {self.sparsity}",
            ),
        )
        return tuple(_contradiction(message, note) for holds, message, note in pairs if holds)

    def _takers(self, subject: Subject, chosen: Sequence[Site], context: Context) -> list[Site]:
        main = subject.network.main
        fits = {site.key: takes(site, main.tensors[site.weights].shape, self.pattern) for site in chosen}
        left = [site for site in chosen if not fits[site.key]]
        if len(left) == len(chosen):
            raise rejected(
                "EC320",
                f"`prune` finds no layer that can have the pattern `{self.pattern}`",
                Location(detail="`prune`, `pattern`"),
                _described(subject, left),
                ('`pattern = "unstructured"` fits every layer',),
            )
        if left:
            context.diagnostics.append(
                Diagnostic(
                    code="EC325",
                    message=f"`prune` leaves {_counted(left)} alone that cannot have the pattern `{self.pattern}`",
                    severity=Severity.NOTE,
                    location=Location(layer=short_name(left[0].key)),
                    notes=_described(subject, left),
                    help=('a second step with `pattern = "unstructured"` prunes them; no kernel gains from it',),
                )
            )
        return [site for site in chosen if fits[site.key]]

    def _at_once(
        self,
        subject: Subject,
        chosen: Sequence[Site],
        scores: Mapping[str, Array],
        seen: Samples | None,
        context: Context,
    ) -> Subject:
        def pruned(sparsity: float, context: Context) -> Subject:
            shares = rates(scores, sparsity, self.pattern, self.allocation, 1 - self.keep)
            # Layers without zeros are fitted as well: they make up for what layers before them lost.
            plans = {
                site.key: Plan(zeros=shares.get(site.key, 0.0), pattern=self.pattern)
                for site in chosen
                if not subject.held.get(site.key, NOTHING).is_shared
            }
            return apply(subject, plans, seen, context, "prune")

        if self.max_drop is None:
            return pruned(self.sparsity, context)
        quiet = replace(context, diagnostics=[], progress=Silent())
        return most_zeros(subject, lambda share: pruned(share, quiet), self.sparsity, self.max_drop, context)

    def _gradually(self, subject: Subject, takers: Sequence[Site], context: Context) -> Subject:
        from edgecompile.compress.training.trainer import train

        none = {
            site.key: Held(zeros=np.zeros(subject.network.main.tensors[site.weights].shape, bool), pattern=self.pattern)
            for site in takers
            if subject.held.get(site.key, NOTHING).zeros is None
        }
        start = subject.with_held(none)
        course = Gradual(
            held={site.key: start.held[site.key] for site in takers},
            sparsity=self.sparsity,
            pattern=self.pattern,
            allocation=self.allocation,
            most=1 - self.keep,
            begin=self.begin,
            end=self.end,
        )
        return train(start, self.training(), context, adjust=course.adjust, identity=course.identity)


def _counted(sites: Sequence[Site]) -> str:
    return counted(len(sites), "layer")


def _described(subject: Subject, left: Sequence[Site]) -> tuple[str, ...]:
    main = subject.network.main
    lines = [
        f"`{short_name(site.key)}` ({site.operator}) has weights {main.tensors[site.weights]}" for site in left[:_SHOWN]
    ]
    more = [f"and {len(left) - _SHOWN} more"] if len(left) > _SHOWN else []
    return (*lines, *more)


def _contradiction(message: str, note: str) -> Diagnostic:
    return Diagnostic(
        code="EC323",
        message=message,
        location=Location(detail="`prune`"),
        notes=(note,),
        help=("change one of the two options",),
    )
