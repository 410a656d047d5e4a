"""What a device computes from sound before the model: whole numbers, the same in C and here."""

from edgecompile.features.compute import compute, real
from edgecompile.features.plan import Plan, plan_of, wrong

__all__ = ["Plan", "compute", "plan_of", "real", "wrong"]
