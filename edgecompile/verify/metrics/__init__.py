"""One metric a file: ``NAME``, ``HIGHER_IS_BETTER`` and ``score(truth, output, inputs) -> float``.

``truth`` are labels or None, ``output`` real values with samples first, ``inputs`` what the model was
fed. ``score`` raises ``scoring.Unscorable`` when labels and output do not go together.
"""
