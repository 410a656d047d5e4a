"""Shipped recipes: TOML files whose steps are passes of ``compress/passes``."""
