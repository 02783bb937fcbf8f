"""Lists of positions as numpy saves them: four that are read, and three that are none."""

from pathlib import Path

import numpy as np

folder = Path(__file__).parent
for kind in ["int32", "int64", "uint8", "uint16", "float64"]:
    np.save(folder / f"{kind}.npy", np.array([5, 3, 4], dtype=kind))
np.save(folder / "bool.npy", np.array([False, True, True]))
np.save(folder / "matrix.npy", np.array([[5], [3], [4]], dtype="int64"))
