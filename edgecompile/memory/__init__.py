"""Tensor lifetimes, the arena, budgets."""
