"""Search for recipes under budgets: proposals from Optuna and from what is known, judged by the real pipeline."""
