"""Writes reference.json: five steps of PyTorch's optimizers on a small problem.

    python3 test/golden/optimizers/make.py          (PyTorch 1.13)

Two parameters, a [2, 3] and b [3], start at numbers from ../uniform.py. The loss is
0.5 * sum(c * a^2) + sum(b^4) / 4 + sum(a[0] * b), so that gradients change from step to step; the rate falls by a tenth
a step. PyTorch computes in double precision. Each case holds the parameters after every step, a before b.
"""

import json
import sys
from pathlib import Path

import torch

here = Path(__file__).parent
sys.path.append(str(here.parent))
from uniform import uniforms  # noqa: E402

RATE, STEPS = 0.1, 5
cases = {
    "sgd": (torch.optim.SGD, {"momentum": 0, "weight_decay": 0}),
    "sgd with momentum and weight decay": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.05}),
    "sgd with nesterov": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.05, "nesterov": True}),
    "adam": (torch.optim.Adam, {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0}),
    "adam with weight decay": (torch.optim.Adam, {"betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.05}),
    "adamw": (torch.optim.AdamW, {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.05}),
    "sgd with clipping": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.05}, 0.5),
    "sgd with a bound that isn't reached": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.05}, 100),
}


def run(kind, options, clip=None):
    a = torch.from_numpy(uniforms(41, (2, 3), -1, 1)).double().requires_grad_()
    b = torch.from_numpy(uniforms(42, (3,), -1, 1)).double().requires_grad_()
    c = torch.from_numpy(uniforms(43, (2, 3), 0.5, 2)).double()
    optimizer = kind([a, b], lr=RATE, **options)
    trace = []
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / 10)
        optimizer.zero_grad()
        (0.5 * (c * a * a).sum() + (b**4).sum() / 4 + (a[0] * b).sum()).backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_([a, b], clip)
        optimizer.step()
        trace.append(torch.cat([a.flatten(), b]).tolist())
    return {"options": options, "clip": clip, "trace": trace}


reference = {name: run(*case) for name, case in cases.items()}
(here / "reference.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")
