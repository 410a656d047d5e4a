"""Surgery on a float network: channels taken out of it for good, and layers split into two of low rank."""
