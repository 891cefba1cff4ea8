"""Randomness that agrees between runs: one independent stream per quantity and slot of time."""

import zlib

import numpy as np


def stream(seed: int, quantity: str, slot: int = 0) -> np.random.Generator:
    """Give the random numbers of one quantity.

    Streams of different quantities, and of different slots of one quantity, are independent (numpy's SeedSequence), so
    a new quantity never changes the others, and the numbers of an hour can be made again without those before it.

    Args:
        seed: of the whole world, 0 or more.
        quantity: what is drawn, such as "deposits".
        slot: for example the number of an hour, 0 or more.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(quantity.encode()), slot]))
