"""Carry a Keras 3 model over to tf_keras, which TF-MOT needs, with equal outputs."""
