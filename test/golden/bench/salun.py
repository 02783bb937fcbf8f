"""SalUn on ResNet-18 in PyTorch, with the data on the device: what bench:gpu compares the engine with.

    python3 test/golden/bench/salun.py eager|compiled SPEC

SPEC is JSON: device, images, forget, epochs, batch, width, threads, seed. One line of JSON is printed. `compiled` is channels-last,
bfloat16 autocast and torch.compile; `eager` is float32 as PyTorch comes (TF32 for convolutions on a GPU that has it).
"""

import json
import resource
import sys
import time

import torch
from torch.nn import functional as F

from networks import ResNet18

variant, spec = sys.argv[1], json.loads(sys.argv[2])
device = torch.device(spec["device"])
on_gpu = device.type == "cuda"
torch.manual_seed(spec["seed"])
if spec["threads"]:
    torch.set_num_threads(spec["threads"])

images = torch.randint(256, (spec["images"], 3, 32, 32), dtype=torch.uint8).to(device)
labels = torch.randint(10, (spec["images"],)).to(device)
forget = torch.arange(spec["forget"], device=device)
retain = torch.arange(spec["forget"], spec["images"], device=device)

model = ResNet18(3, spec["width"]).to(device)
forward = model
if variant == "compiled":
    model.to(memory_format=torch.channels_last)
    if not hasattr(torch, "compile"):
        sys.exit(f"torch.compile is missing in PyTorch {torch.__version__}; version 2 has it")
    forward = torch.compile(model)


def loss_of(items, targets):
    x = images[items].float().div_(255)
    if variant != "compiled":
        return F.cross_entropy(forward(x), targets)
    with torch.autocast(device.type, torch.bfloat16):
        return F.cross_entropy(forward(x.to(memory_format=torch.channels_last)), targets)


def now():
    if on_gpu:
        torch.cuda.synchronize()
    return time.perf_counter()


def saliency_mask():
    model.eval()
    model.zero_grad(set_to_none=False)
    for items in forget.split(spec["batch"]):
        loss_of(items, labels[items]).backward()
    scores = torch.cat([p.grad.abs().flatten() for p in model.parameters()])
    chosen = torch.zeros(scores.numel(), dtype=torch.bool, device=device)
    chosen[scores.topk(scores.numel() // 2).indices] = True
    sizes = [p.numel() for p in model.parameters()]
    return [part.view(p.shape) for part, p in zip(chosen.split(sizes), model.parameters())]


def one_pass(items, targets, optimizer, mask):
    model.train()
    order = torch.randperm(len(items), device=device)
    for at in order.split(spec["batch"]):
        kept = [p.detach().clone() for p in model.parameters()]
        optimizer.zero_grad()
        loss_of(items[at], targets[at]).backward()
        for p, part in zip(model.parameters(), mask):
            p.grad.mul_(part)
        optimizer.step()
        with torch.no_grad():
            for p, part, old in zip(model.parameters(), mask, kept):
                p.copy_(torch.where(part, p, old))


began = now()
mask = saliency_mask()
mask_seconds = now() - began
optimizer = torch.optim.SGD(model.parameters(), 0.013, 0.9, weight_decay=5e-4)
epochs = []
for _ in range(spec["epochs"]):
    began = now()
    one_pass(forget, torch.randint(10, (len(forget),), device=device), optimizer, mask)
    one_pass(retain, labels[retain], optimizer, mask)
    epochs.append(now() - began)

peak = torch.cuda.max_memory_allocated() / 2**20 if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
name = torch.cuda.get_device_name() if on_gpu else "cpu"
print(json.dumps({"runtime": f"PyTorch {torch.__version__}", "device": name, "mask": mask_seconds, "epochs": epochs, "peakMiB": peak}))
