"""A model of the Edge TPU: what a compiled network takes in its memories, and how long it runs."""
