"""The counter-based generator of test/onnxruntime/uniform.ts, so that TypeScript and Python make the same numbers.

Entry `index` of stream `seed` is the 32-bit finalizer of MurmurHash3 of both; its upper 24 bits make a float32 in [0, 1).
"""

import numpy as np


def hashes(seed, count):
    with np.errstate(over="ignore"):
        hash = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) ^ np.uint32(seed * 0x85EBCA77 % 2**32)
        hash = (hash ^ hash >> 16) * np.uint32(0x85EBCA6B)
        hash = (hash ^ hash >> 13) * np.uint32(0xC2B2AE35)
    return hash ^ hash >> 16


def uniforms(seed, shape, low=0.0, high=1.0):
    """Float32 numbers in [low, high), computed in double precision and rounded once."""
    u = (hashes(seed, int(np.prod(shape))) >> 8) / 2**24
    return (low + u * (high - low)).astype(np.float32).reshape(shape)


def sketch(seed, tensor):
    """32 random projections of a tensor: projection k sums the entries with the signs that bit k of their hashes gives.

    For any vector d, the mean square of its projections is an unbiased estimate of |d|^2, distributed like
    |d|^2 * chi2(32) / 32. Projections are linear, so those of a difference are the difference of the projections. A true
    relative error above 1e-4 passes a check of its estimate against 5e-5 with probability P(chi2(32) < 8) < 1e-6.
    """
    entries = np.asarray(tensor, dtype=np.float64).ravel()
    bits = hashes(seed, entries.size)
    ones = np.zeros(32)
    for start in range(0, entries.size, 1 << 16):
        part = slice(start, start + (1 << 16))
        laid = np.unpackbits(bits[part].astype("<u4").view(np.uint8).reshape(-1, 4), axis=1, bitorder="little")
        ones += entries[part] @ laid.astype(np.float64)
    return [float(projection) for projection in entries.sum() - 2 * ones]
