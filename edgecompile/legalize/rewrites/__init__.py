"""Rewrites that let a target take more of a network, one file each; a profile names those it asks for.

A module is a rewrite when it has ``SUMMARY`` (what it turns into what), ``KEEPS`` (what of the outputs stays: all
bits, or within how many steps) and ``run(network, target) -> (network, words)``, one word per rewrite and the very
network where there is none. ``UNDONE_BY`` names the passes of ``optimize`` that would take it back; a rewrite that
changes the types of inputs or outputs has ``CHANGES_ENDS``.
"""
