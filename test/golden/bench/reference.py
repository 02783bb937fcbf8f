"""PyTorch's side of a comparison: a process that runs the training steps of one case, as plain eager code.

    python3 test/golden/bench/reference.py FOLDER THREADS

FOLDER holds spec.json and inputs.safetensors, written by step.ts. Each line of standard input asks for that many steps from the
initial state; each is answered by a line of JSON. Parameters have the engine's names.
"""

import json
import math
import resource
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from networks import ResNet18, SmallCnn, UNet

begun = time.perf_counter()
folder, threads = Path(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
spec = json.loads((folder / "spec.json").read_text())


def read(path):
    content = bytearray(path.read_bytes())
    size = int.from_bytes(content[:8], "little")
    kinds = {"F32": torch.float32, "I64": torch.int64, "U8": torch.uint8}
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(
            content, dtype=kinds[entry["dtype"]], offset=8 + size + entry["data_offsets"][0], count=math.prod(entry["shape"])
        ).view(entry["shape"])
        for name, entry in header.items()
    }


def engine_name(name):
    """Modules have methods named half and double, so theirs end in an underscore."""
    return name.replace("half_", "half").replace("double_", "double")


inputs = read(folder / "inputs.safetensors")
images, rate, params = inputs["images"], spec["rate"], spec["params"]
depth = spec["inputShape"][0]
if spec["model"] == "ddpm-unet":
    model = UNet(spec["inputShape"], **params)
    bars = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    signal, noise_level = bars.sqrt().float(), (1 - bars).sqrt().float()
else:
    model = ResNet18(depth, **params) if spec["model"] == "resnet18" else SmallCnn(depth, **params)
model.train()
initial = {
    name: value.clone() if name.endswith("num_batches_tracked") else inputs[engine_name(name)].clone()
    for name, value in model.state_dict().items()
}


def loss_of(step):
    if spec["model"] != "ddpm-unet":
        x = images[inputs["items.0"][step]].float().mul_(1 / 255)
        return F.cross_entropy(model(x), inputs["labels.0"][step])
    x0 = images[inputs["items.0"][step]].float().mul_(2 / 255).sub_(1)
    t, noise = inputs["t.0"][step], torch.randn_like(x0)
    x = signal[t].view(-1, 1, 1, 1) * x0 + noise_level[t].view(-1, 1, 1, 1) * noise
    return (noise - model(x, t, inputs["labels.0"][step])).square().sum((1, 2, 3)).mean()


def optimizer_of(kind, **options):
    if kind == "sgd":
        return torch.optim.SGD(
            model.parameters(), rate, options["momentum"], weight_decay=options["weightDecay"], nesterov=options["nesterov"]
        )
    betas = (options["beta1"], options["beta2"])
    return torch.optim.Adam(model.parameters(), rate, betas, options["epsilon"], options["weightDecay"])


def run(steps):
    model.load_state_dict(initial)
    optimizer = optimizer_of(**spec["optimizer"])
    start, first = time.perf_counter(), None
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_of(step)
        loss.backward()
        if spec["clipNorm"]:
            nn.utils.clip_grad_norm_(model.parameters(), spec["clipNorm"])
        optimizer.step()
        first = loss.item() if first is None else first
    return {"ms": 1000 * (time.perf_counter() - start) / steps, "loss": first}


def say(words):
    print(json.dumps(words), flush=True)


say({"runtime": f"PyTorch {torch.__version__}", "setUpMs": 1000 * (time.perf_counter() - begun)})
for line in sys.stdin:
    say(run(int(line)))
say({"peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
