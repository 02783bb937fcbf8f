"""Writes generation.json: what PyTorch makes of the first steps of methods that unlearn a diffusion model.

    python3 test/golden/methods/make_generation.py          (PyTorch 2.15, numpy)

generation-draws.json, which draw-generation.ts writes, has the cases and what each step drew: timesteps, classes, images
and the keys of the noise. What a step makes of them is written here from the formulas of the papers and the released code:
the Fisher information one timestep at a time, as those do. The network has 212 parameters; its weights come from
../uniform.py. PyTorch computes in double precision and keeps nine digits. A state is all parameters end to end.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

here = Path(__file__).parent
sys.path.append(str(here.parent))
from uniform import uniforms  # noqa: E402

torch.set_default_dtype(torch.float64)
FIRST_TENSOR, UNIFORM = 610, 620  # streams; tensor number i has stream FIRST_TENSOR + i
CLASSES, SIDE, HIDDEN, T = 3, 4, 4, 8
SIZE = SIDE * SIDE
PRIME = 2**31 - 1
betas = torch.linspace(0.02, 0.4, T)
alpha_bar = (1 - betas).cumprod(0)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.time = nn.Linear(SIZE, HIDDEN), nn.Linear(4, HIDDEN)
        self.table = nn.Parameter(torch.zeros(CLASSES + 1, HIDDEN))
        self.out = nn.Linear(HIDDEN, SIZE)
        self.ordered = [*self.into.parameters(), *self.time.parameters(), self.table, *self.out.parameters()]
        with torch.no_grad():
            for i, tensor in enumerate(self.ordered):
                tensor.copy_(torch.from_numpy(uniforms(FIRST_TENSOR + i, tuple(tensor.shape), -0.6, 0.6)).double())

    def forward(self, x, t, labels):
        angles = t[:, None].double() * torch.tensor([1.0, 1e-4])
        time = self.time(torch.cat([angles.sin(), angles.cos()], 1))
        h = self.into(x) + time * self.table[labels]
        return self.out(h * torch.sigmoid(h))


def drawn(keys, n):
    """Noise, and uniform numbers in [-1, 1), of each row's key, as runner/engine/nn/counter-random.ts says."""
    a, b = keys.reshape(n, 2).astype(np.int64).T[:, :, None]
    h = a + np.arange(2 * SIZE)
    for word in (b, a, b):
        h = (h * h + word) % PRIME
    u = (h.astype(np.float32) + np.float32(0.5)) / np.float32(PRIME)
    u = torch.from_numpy(u.astype(np.float64))
    radius, angle = (-2 * u[:, : SIZE // 2].log()).sqrt(), 2 * math.pi * u[:, SIZE // 2 : SIZE]
    return torch.cat([radius * angle.cos(), radius * angle.sin()], 1), 2 * u[:, SIZE:] - 1


class Batch:
    def __init__(self, draw, pixels="signed"):
        self.t, self.labels = torch.tensor(draw["t"]), torch.tensor(draw["labels"])
        self.others = torch.tensor(draw["others"]) if "others" in draw else None
        n = len(self.t)
        self.noise, uniform = drawn(np.array(draw["keys"]), n)
        if "latents" in draw:
            self.x = torch.tensor(draw["latents"]).view(n, SIZE)
            return
        x0 = uniform
        if "bytes" in draw:
            x0 = torch.tensor(draw["bytes"]).double().view(n, SIZE) / 255
            x0 = x0 if pixels == "unit" else 2 * x0 - 1
        a = alpha_bar[self.t].view(-1, 1)
        self.x = a.sqrt() * x0 + (1 - a).sqrt() * self.noise

    def parts(self):
        """One by one, for gradients of single timesteps."""
        for i in range(len(self.t)):
            yield self.x[i : i + 1], self.t[i : i + 1], self.labels[i : i + 1], self.noise[i : i + 1]


def squared_error(a, b, reduction):
    return (a - b).square().sum(1).mean() if reduction == "sum" else (a - b).square().mean()


def noise_loss(model, batch, reduction="sum"):
    return squared_error(model(batch.x, batch.t, batch.labels), batch.noise, reduction)


def other_loss(model, batch, reduction, target=None):
    target = model(batch.x, batch.t, batch.others).detach() if target is None else target
    return squared_error(model(batch.x, batch.t, batch.labels), target, reduction), target


def flat(values):
    return [float(f"{value:.9g}") for value in torch.cat([value.detach().flatten() for value in values]).tolist()]


def adam(model, params):
    return torch.optim.Adam(model.ordered, lr=params["learningRate"])


def take(model, optimizer, gradients, clip):
    for parameter, gradient in zip(model.ordered, gradients):
        parameter.grad = gradient.clone()
    if clip is not None:
        nn.utils.clip_grad_norm_(model.ordered, clip)
    optimizer.step()


class Average:
    """Of the weights over the steps; begins at the original."""

    def __init__(self, model, decay):
        self.model, self.decay, self.mean = model, decay, [p.detach().clone() for p in model.ordered]

    def update(self):
        for mean, p in zip(self.mean, self.model.ordered):
            mean.mul_(self.decay).add_((1 - self.decay) * p.detach())

    def final(self):
        return flat(self.mean)


def fisher(model, params, draws):
    """The mean over samples of squared gradients."""
    summed, per_sample = params.get("fisher", "summed") == "summed", []
    sample, steps = [torch.zeros_like(p) for p in model.ordered], 0
    for draw in draws:
        for x, t, labels, noise in Batch(draw, params.get("fisherPixels", "unit")).parts():
            loss = (noise - model(x, t, labels)).square().sum()
            sample = [sum + g for sum, g in zip(sample, torch.autograd.grad(loss, model.ordered))]
            steps += 1
            if steps % (T if summed else 1) == 0:
                per_sample.append([g.square() for g in sample])
                sample = [torch.zeros_like(p) for p in model.ordered]
    assert steps % T == 0 or not summed
    return [torch.stack(parts).mean(0) for parts in zip(*per_sample)]


def selective_amnesia(params, draws):
    model, start = Denoiser(), Denoiser()
    [samples], (forgotten, replayed) = draws
    f = fisher(model, params, samples)
    average = Average(model, params.get("average", 0.9999))
    optimizer, losses = adam(model, params), []
    for forget, replay in zip(forgotten, replayed):
        loss = noise_loss(model, Batch(forget)) + params.get("replay", 1) * noise_loss(model, Batch(replay))
        pull = sum((i * (p - p0.detach()) ** 2).sum() for i, p, p0 in zip(f, model.ordered, start.ordered))
        losses.append(loss.item())
        take(model, optimizer, torch.autograd.grad(loss + params.get("elastic", 10) * pull, model.ordered), 1)
        average.update()
    trace = [{"loss": np.mean(losses), "state": flat(model.ordered)}]
    return {"importances": [flat(f)], "trace": trace, "final": average.final()}


def erasediff(params, draws):
    model = Denoiser()
    optimizer, trace, draws = adam(model, params), [], iter(draws)
    average = Average(model, params.get("average", 0.99))
    balance, reduction = params.get("balance", "fixed"), params.get("reduction", "mean")
    weight = 0.1 if balance == "fixed" else 1

    def lambda_of(batch, target, f, lower, upper):
        inner = sum((a * b).sum() for a, b in zip(lower, upper))
        norm = lambda g: sum(x.square().sum() for x in g).sqrt()
        if balance == "fixed":
            return 0.1
        if balance == "adaptive":
            return max(float(params["eta"] - inner / (norm(lower) * norm(upper) + 1e-8)), 0)
        moved = Denoiser()
        moved.load_state_dict(model.state_dict())
        for _ in range(2):
            lost, _ = other_loss(moved, batch, reduction, target)
            with torch.no_grad():
                for p, g in zip(moved.ordered, torch.autograd.grad(lost, moved.ordered)):
                    p -= params["innerRate"] * g
        left = (f - other_loss(moved, batch, reduction, target)[0]).item()
        return max(float((params["eta"] * left - inner) / (norm(lower) ** 2 + 1e-12)), 0)

    for _ in range(params["rounds"]):
        before = [p.detach().clone() for p in model.ordered]
        for _ in range(params.get("passes", 2)):
            losses, counts = [], []
            for draw in next(draws)[0]:
                loss, _ = other_loss(model, Batch(draw), reduction)
                losses.append(loss.item())
                counts.append(len(draw["t"]))
                take(model, optimizer, torch.autograd.grad(loss, model.ordered), None)
            inner = {"loss": np.average(losses, weights=counts), "state": flat(model.ordered)}
        if params.get("passes", 2) > 0:
            trace.append(inner)
        with torch.no_grad():
            for p, p0 in zip(model.ordered, before):
                p.copy_(p0)
        losses = []
        for forget, retain in zip(*next(draws)):
            batch = Batch(forget)
            f, target = other_loss(model, batch, reduction)
            r = noise_loss(model, Batch(retain), reduction)
            losses.append(weight * f.item() + r.item())
            lower, upper = (torch.autograd.grad(loss, model.ordered) for loss in (f, r))
            factor = lambda_of(batch, target, f, lower, upper)
            print(f"  {balance}: λ {factor:.4g}")
            take(model, optimizer, [b + factor * a for a, b in zip(lower, upper)], 1)
            average.update()
        trace.append({"loss": np.mean(losses), "state": flat(model.ordered)})
    assert next(draws, None) is None
    return {"trace": trace, "final": average.final()}


def esd(params, draws):
    model, start = Denoiser(), Denoiser()
    [[steps]] = draws
    optimizer, losses = adam(model, params), []
    moving = [params.get("trained", "rest") == "all" or p is not model.table for p in model.ordered]
    for draw in steps:
        batch = Batch(draw)
        with torch.no_grad():
            none = torch.full_like(batch.labels, CLASSES)
            e0, ec = start(batch.x, batch.t, none), start(batch.x, batch.t, batch.labels)
        loss = squared_error(model(batch.x, batch.t, batch.labels), e0 - params.get("strength", 1) * (ec - e0), "mean")
        losses.append(loss.item())
        found = torch.autograd.grad(loss, model.ordered)
        gradients = [g if moves else torch.zeros_like(g) for g, moves in zip(found, moving)]
        if params.get("clipNorm") is not None:  # before the mask
            assert all(moving)
        take(model, optimizer, gradients, params.get("clipNorm"))
    state = flat(model.ordered)
    return {"trace": [{"loss": np.mean(losses), "state": state}], "final": state}


def joint(model, params, forgotten, retained, of, reduction):
    """Steps on weighted losses on D_r and D_f; gradients are clipped to norm 1."""
    optimizer, losses = adam(model, params), []
    for retain, forget in zip(retained, forgotten):
        kept, lost = (noise_loss(model, Batch(draw), reduction) for draw in (retain, forget))
        loss = of(kept, lost)
        losses.append(loss.item())
        take(model, optimizer, torch.autograd.grad(loss, model.ordered), 1)
    state = flat(model.ordered)
    return {"trace": [{"loss": np.mean(losses), "state": state}], "final": state}


def neggrad_plus(params, draws):
    [[retained, forgotten]] = draws
    beta = params["beta"]
    return joint(Denoiser(), params, forgotten, retained, lambda kept, lost: beta * kept - (1 - beta) * lost, "sum")


def scissorhands(params, draws):
    """SNIP over random batches of D_f by the guided loss, then steps."""
    model = Denoiser()
    *batches, [retained, forgotten] = draws
    slopes = [torch.zeros_like(p) for p in model.ordered]
    for [[draw]] in batches:
        batch = Batch(draw)
        asked, none = (model(batch.x, batch.t, labels) for labels in (batch.labels, torch.full_like(batch.labels, CLASSES)))
        guided = 3 * asked - 2 * none
        found = torch.autograd.grad(squared_error(guided, batch.noise, "mean"), model.ordered)
        slopes = [sum + g.abs() for sum, g in zip(slopes, found)]
    scores = [(p * g).abs().detach() for p, g in zip(model.ordered, slopes)]
    every = torch.cat([s.flatten() for s in scores])
    threshold = every.kthvalue(int(params["sparsity"] * len(every)))[0]
    fresh, at = uniforms(UNIFORM, (4096,), 0, 1).astype(np.float64), 0
    with torch.no_grad():
        for p, score in zip(model.ordered, scores):
            anew = torch.zeros_like(p)
            if p.ndim > 1:
                u = torch.from_numpy(fresh[at : at + p.numel()]).reshape(p.shape)
                anew, at = (2 * u - 1) / math.sqrt(math.prod(p.shape[1:])), at + p.numel()
            p.copy_(torch.where(score > threshold, anew, p))
    return joint(model, params, forgotten, retained, lambda kept, lost: kept - params["lambda"] * lost, "mean")


def sfr_on(params, draws):
    """Takes turns: a masked and weighed climb on D_f, a step on D_r; both are clipped to norm 1."""
    model, draws, squares = Denoiser(), iter(draws), []
    for _ in range(2):
        [batches], total = next(draws), [torch.zeros_like(p) for p in model.ordered]
        for draw in batches:
            batch = Batch(draw)
            none = torch.full_like(batch.labels, CLASSES)
            guided = 3 * model(batch.x, batch.t, batch.labels) - 2 * model(batch.x, batch.t, none)
            found = torch.autograd.grad(squared_error(guided, batch.noise, "sum"), model.ordered)
            norm = torch.cat([g.flatten() for g in found]).norm()
            scale = (1 / (norm + 1e-6)).clamp(max=1)
            total = [sum + (scale * g) ** 2 / len(batches) for sum, g in zip(total, found)]
        squares.append(total)
    masks = [(f + 1e-15) / (r + 1e-15) >= params["threshold"] for f, r in zip(*squares)]
    print(f"  {sum(m.sum().item() for m in masks)} of {sum(m.numel() for m in masks)} weights move for D_f")
    optimizer, trace = adam(model, params), []
    for step in range(params["steps"]):
        [[forget]], [[retain]] = next(draws), next(draws)
        batch = Batch(forget)
        each = (batch.noise - model(batch.x, batch.t, batch.labels)).square().sum(1)
        share = 1 / (each.detach() ** params["lambda"] + 1e-8)
        climbed = (share / share.sum() * each * len(each)).mean()
        rate = -params["alpha"] * (1 + math.cos(math.pi * step / params["steps"])) / 2
        found = torch.autograd.grad(rate * climbed, model.ordered)
        take(model, optimizer, [g * m for g, m in zip(found, masks)], 1)
        trace.append({"loss": -climbed.item(), "state": flat(model.ordered)})
        loss = noise_loss(model, Batch(retain))
        take(model, optimizer, torch.autograd.grad(loss, model.ordered), 1)
        trace.append({"loss": loss.item(), "state": flat(model.ordered)})
    assert next(draws, None) is None
    return {"trace": trace, "final": trace[-1]["state"]}


methods = {
    **{"selective-amnesia": selective_amnesia, "erasediff": erasediff, "esd": esd},
    **{"neggrad-plus": neggrad_plus, "scissorhands": scissorhands, "sfr-on": sfr_on},
}
found = []
for case in json.loads((here / "generation-draws.json").read_text()):
    print(case["method"], case["params"])
    found.append(methods[case["method"]](case["params"], case["draws"]))
    if "importances" in found[-1]:
        print(f"  sum of the Fisher information {sum(found[-1]['importances'][0]):.6g}")
(here / "generation.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
