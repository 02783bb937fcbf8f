"""A small file by the safetensors library (pip install safetensors==0.8.0 numpy), as a reference.

Usage: python3 make.py. Writes example.safetensors beside itself.
"""
import pathlib

import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "labels": np.array([3, 1, 2], dtype=np.uint8),
        "weight": np.array([[0.5, -1.25, 3], [1e-8, 65504, -0.0]], dtype=np.float32),
        "bias": np.array([1.5], dtype=np.float32),
        "steps": np.array([2**40, -1], dtype=np.int64),
        "order": np.array([2, 0, 1, -7], dtype=np.int32),
        "empty": np.zeros((0, 4), dtype=np.float32),
        "scalar": np.array(9, dtype=np.int32),
    },
    pathlib.Path(__file__).with_name("example.safetensors"),
    metadata={"classes": "10"},
)
