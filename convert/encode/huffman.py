"""Canonical Huffman codes of limited length, written least significant bit first.

Source: Larmore and Hirschberg, "A fast algorithm for optimal length-limited Huffman codes", 1990
(package-merge); canonical numbering as in RFC 1951, section 3.2.2.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def code_lengths(counts: Ints, limit: int) -> Ints:
    """Bits of each symbol's code, int64 [symbols], at most `limit`; 0 for symbols that do not occur.

    The code is complete: the shares 2^-bits of the symbols that occur sum up to 1. So at least two have
    codes: a symbol that stands alone is given another that never occurs.
    """
    counts = np.asarray(counts, np.int64)
    used = np.flatnonzero(counts).tolist()
    for other in (0, 1):
        if len(used) < 2 and other not in used:
            used = sorted([*used, other])
    if len(used) > 1 << limit:
        raise ValueError(f"{len(used)} symbols do not fit codes of {limit} bits")
    leaves = sorted((max(int(counts[symbol]), 1), (symbol,)) for symbol in used)
    level: list[tuple[int, tuple[int, ...]]] = []
    for _ in range(limit):
        packages = [
            (level[i][0] + level[i + 1][0], level[i][1] + level[i + 1][1])
            for i in range(0, len(level) - 1, 2)
        ]
        level = sorted(leaves + packages, key=lambda item: item[0])
    lengths = np.zeros(len(counts), np.int64)
    for _, symbols in level[: 2 * len(used) - 2]:
        np.add.at(lengths, list(symbols), 1)
    return lengths


def canonical_codes(lengths: Ints) -> Ints:
    """The codes, int64 [symbols]: by length, then by symbol; their first bit is the least significant."""
    codes = np.zeros(len(lengths), np.int64)
    code, before = 0, 0
    for symbol in sorted(np.flatnonzero(lengths).tolist(), key=lambda s: (lengths[s], s)):
        bits = int(lengths[symbol])
        code <<= bits - before
        codes[symbol] = int(f"{code:0{bits}b}"[::-1], 2)
        code, before = code + 1, bits
    return codes
