"""Seeds: what is random in a run is a function of its recipe's seed, so no generator is saved."""

import hashlib


def seed_for(seed: int, what: str, number: int = 0) -> int:
    """A 63-bit seed that depends on all three and on nothing else.

    A run uses seed_for(seed, "weights") for the first weights, and seed_for(seed, "step", n) for
    what its step n (from 0) draws: dropout, stochastic depth.
    """
    digest = hashlib.sha256(f"{seed}/{what}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
