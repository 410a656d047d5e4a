"""Fine-tuning of a network, float or quantized, that keeps what passes have made."""
