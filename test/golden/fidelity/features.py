"""Made-up features that test/runner/features.ts makes too, from the generator in ../uniform.py.

Every number is an integer times a power of two, so that both sides have the same float32 numbers and none are committed.
Like features after a ReLU, they are not negative, often 0, correlated through a few common causes, and of very different
sizes; every 16th is 0 for all images, as that of a unit that died.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parent.parent))
from uniform import uniforms  # noqa: E402

CAUSES = 8


def integers(seed, shape, bound):
    return np.floor(uniforms(seed, shape).astype(np.float64) * bound)


def features(seed, count, dimension, shift=0):
    own = integers(seed, (count, dimension), 64)
    causes = integers(seed + 1, (count, CAUSES), 8)
    loads = integers(9000 + dimension, (CAUSES, dimension), 8)
    columns = np.arange(dimension)
    raised = np.maximum(0, own + causes @ loads - 96 + shift * (columns % 3))
    return (raised * np.where(columns % 16 == 15, 0, 2.0 ** -(columns % 7))).astype(np.float32)


def order(seed, count):
    """A permutation: the positions sorted by their draws, equal draws by position."""
    return np.argsort(uniforms(seed, (count,)), kind="stable")
