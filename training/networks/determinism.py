"""Determinism: two trainings with one seed, on one device, give the same figures."""

import keras


def make_deterministic(seed: int) -> None:
    """Seed every generator, and have operations add up in the same order each time.

    For JAX on a GPU, `prepare_backend` has asked for the order before JAX started. On a processor
    JAX keeps it anyway.
    """
    keras.utils.set_random_seed(seed)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415 - no other backend needs it

        tf.config.experimental.enable_op_determinism()
