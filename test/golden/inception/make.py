"""Writes reference.json: pool3 features of FID's Inception-v3 with made-up weights, and resized images, as PyTorch has them.

    python3 test/golden/inception/make.py          (PyTorch 1.13, numpy)

Weights and images come from the generator in ../uniform.py; PyTorch runs in double precision. Of the logits, sketch() in
../uniform.py keeps 32 random projections; of the resized images every 293rd number is kept.
"""

import base64
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch

here = Path(__file__).parent
sys.path.append(str(here.parent))
from network import Inception, preprocess  # noqa: E402
from uniform import sketch, uniforms  # noqa: E402

FIRST_TENSOR, IMAGES, LOGITS, STEP = 1000, 900, 990, 293
# Colour at the network's own size, small, larger than that; and grey.
SHAPES = [(3, 299, 299), (3, 32, 32), (3, 320, 400), (1, 28, 28)]


def weight(name, shape, stream):
    low, high = {"running_mean": (-0.1, 0.1), "running_var": (0.5, 1.5), "bias": (-0.1, 0.1)}.get(
        name.split(".")[-1], (0.8, 1.2)
    )
    if len(shape) > 1:
        high = math.sqrt(6 / math.prod(shape[1:]))
        low = -high
    return torch.from_numpy(uniforms(stream, tuple(shape), low, high).astype(np.float64))


def images(index, shape):
    """Waves with noise, so that neighbours are alike but not equal: integers from 0 to 255."""
    c, h, w = np.ogrid[: shape[0], : shape[1], : shape[2]]
    wave = (h * (3 + index) + w * (5 - index) + c * 40) % 192
    return np.floor(wave + uniforms(IMAGES + index, shape).astype(np.float64) * 64)


def base64_of(array):
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


network = Inception().double().eval()
state = {n: t for n, t in network.state_dict().items() if not n.endswith("num_batches_tracked")}
network.load_state_dict({n: weight(n, t.shape, FIRST_TENSOR + i) for i, (n, t) in enumerate(sorted(state.items()))}, False)

cases = []
with torch.no_grad():
    for index, shape in enumerate(SHAPES):
        pixels = torch.from_numpy(images(index, shape))[None] / 255
        x = pixels.expand(1, 3, -1, -1)
        pooled, logits = network(x)
        print(shape, "features", float(pooled.abs().max()), float(pooled.std()), "logits", float(logits.std()))
        cases.append(
            dict(
                shape=shape,
                features=base64_of(pooled[0]),
                logits=dict(norm=float(logits.norm()), sketch=sketch(LOGITS, logits)),
                resized=base64_of(preprocess(x).flatten()[::STEP]),
            )
        )
shapes = {n: list(t.shape) for n, t in sorted(state.items())}
parameters = sum(p.numel() for p in network.parameters())
(here / "reference.json").write_text(json.dumps(dict(step=STEP, parameters=parameters, shapes=shapes, cases=cases)) + "\n")
