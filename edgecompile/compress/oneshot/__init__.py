"""Second-order compression on calibration samples alone: prune, share and quantize weights without training."""
