"""The order of samples as a pure function of (seed, epoch): position in, index out, no state but the position.

A Feistel network is a permutation of 2^(2k) numbers whatever its round function; cycle walking (Black and Rogaway,
"Ciphers with Arbitrary Finite Domains", 2002) restricts it to n. Any position of any epoch costs the same, so a
run resumes at the exact sample by knowing its step.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count

_ROUNDS = 6
_MASK = (1 << 64) - 1


def permute(position: int, size: int, *key: int) -> int:
    """Return where `position` goes in the permutation of range(size) that `key` names.

    Raises:
        ValueError: `position` is not in range(size).
    """
    if not 0 <= position < size:
        raise ValueError(f"position {position} is not in range({size})")
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    rounds = _round_keys(key)
    place = _feistel(position, half, rounds)
    while place >= size:  # the domain is under 4 x size, so this walks fewer than 4 steps on average
        place = _feistel(place, half, rounds)
    return place


def unpermute(place: int, size: int, *key: int) -> int:
    """Return which position `permute` sends to `place`.

    Raises:
        ValueError: `place` is not in range(size).
    """
    if not 0 <= place < size:
        raise ValueError(f"place {place} is not in range({size})")
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    rounds = _round_keys(key)[::-1]
    position = _unfeistel(place, half, rounds)
    while position >= size:
        position = _unfeistel(position, half, rounds)
    return position


def sampler(size: int, held_out: int, seed: int, *stream: int) -> tuple[Callable[[int], int], Callable[[int], int]]:
    """Return two functions from a position to a sample's index: for training, and for what is held out.

    Training positions run on over epochs: epoch e covers positions e*(size-held_out) up to the next. The last
    `held_out` places of one fixed permutation are never trained on. Streams of one seed have orders of their own.
    """
    trained, key = size - held_out, (seed, *stream)

    def training(position: int) -> int:
        epoch, place = divmod(position, trained)
        return permute(permute(place, trained, *key, 1, epoch), size, *key, 0)

    return training, lambda position: permute(trained + position, size, *key, 0)


def positions(index: int, size: int, held_out: int, seed: int, *stream: int) -> Iterator[int] | None:
    """Return the training positions at which `sampler` gives a sample, for ever; None where it is held out."""
    trained, key = size - held_out, (seed, *stream)
    fixed = unpermute(index, size, *key, 0)
    if fixed >= trained:
        return None
    return (epoch * trained + unpermute(fixed, trained, *key, 1, epoch) for epoch in count())


@lru_cache(maxsize=8)
def _round_keys(key: tuple[int, ...]) -> tuple[int, ...]:
    spelled = ",".join(map(str, key)).encode()
    digest = hashlib.blake2b(spelled, digest_size=8 * _ROUNDS).digest()
    return tuple(int.from_bytes(digest[8 * r : 8 * r + 8], "little") for r in range(_ROUNDS))


def _feistel(value: int, half: int, rounds: tuple[int, ...]) -> int:
    """Permute the numbers of 2*half bits: (left, right) -> (right, left xor f(right)) in each round."""
    low = (1 << half) - 1
    left, right = value >> half, value & low
    for key in rounds:
        left, right = right, left ^ (_mix(right ^ key) & low)
    return (left << half) | right


def _unfeistel(value: int, half: int, rounds: tuple[int, ...]) -> int:
    """Undo `_feistel`, given its keys in reverse."""
    low = (1 << half) - 1
    left, right = value >> half, value & low
    for key in rounds:
        left, right = right ^ (_mix(left ^ key) & low), left
    return (left << half) | right


def _mix(value: int) -> int:
    """Scatter 64 bits: the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
