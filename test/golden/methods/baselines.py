"""Writes a file a method: what PyTorch makes of the first steps of the methods below, or what their formula says.

    python3 test/golden/methods/baselines.py          (PyTorch 2.15, numpy)

Network, images and weights are those of make.py. Where a method begins weights anew, they come from streams of their own, as
do its draws: each uniform or normal number is the next of one stream. A batch is all of what a pass goes over, so no order is
left to chance; shuffles leave things as they are. `split` says what is forgotten where that isn't images 0 to 7 of 20.
"""

import json
import math
from pathlib import Path

import make
import numpy as np
import torch
from make import COUNT, SmallCnn, descend, flat, forget, labels, original, pixels, retain, tensors
from torch.nn import functional as F
from uniform import uniforms

here = Path(__file__).parent
CLASSES, FIRST_FRESH, UNIFORM, NORMAL = 3, 40, 60, 61


class Draws:
    """What a method draws, in order."""

    def __init__(self):
        self.streams = {UNIFORM: uniforms(UNIFORM, (4096,), 0, 1), NORMAL: uniforms(NORMAL, (4096,), -2, 2)}
        self.at = {UNIFORM: 0, NORMAL: 0}

    def take(self, stream, shape):
        count, at = math.prod(shape), self.at[stream]
        self.at[stream] += count
        return torch.from_numpy(self.streams[stream][at : at + count].astype(np.float64)).reshape(shape)

    def uniform(self, *shape):
        return self.take(UNIFORM, shape)

    def normal(self, *shape):
        return self.take(NORMAL, shape)

    def integer(self, bound):
        return int(self.uniform(1).item() * bound)


def fresh():
    """Another network, by the rule of `original`."""
    first, make.FIRST_TENSOR = make.FIRST_TENSOR, FIRST_FRESH
    model = original()
    make.FIRST_TENSOR = first
    return model


def sgd(parameters, params):
    return torch.optim.SGD(
        parameters, lr=params["learningRate"], momentum=params["momentum"], weight_decay=params["weightDecay"]
    )


def gradients(model, items, loss=F.cross_entropy):
    return torch.autograd.grad(loss(model(pixels[items]), labels[items]), [*model.parameters()])


def fit(model, optimizer, items=retain):
    return descend(model, optimizer, F.cross_entropy(model(pixels[items]), labels[items]))


def iu(params):
    """The inverse as a matrix where it is exact."""
    model = original().eval()
    summed = lambda items: torch.cat([g.flatten() for g in gradients(model, items, lambda *a: F.cross_entropy(*a, reduction="sum"))])
    total = len(forget) + len(retain)
    v = summed(forget) / total - summed(retain) * len(forget) / (total * len(retain))
    n = params["samples"]
    if params["recursion"] == "exact":
        singles = torch.stack([summed(retain[i : i + 1]) for i in range(n)])
        step = torch.linalg.solve(params["damping"] * torch.eye(len(v)) + singles.T @ singles / n, v)
    else:
        step, o = v.clone(), summed(retain[:1])
        for i in range(1, n + 2):
            g = summed(retain[i : i + 1])
            step, o = step - (step @ g) / (n + o @ g) * o, o - (o @ g) / (n + o @ g) * o
    with torch.no_grad():
        torch.nn.utils.vector_to_parameters(
            torch.nn.utils.parameters_to_vector(model.parameters()) + params["alpha"] * step, model.parameters()
        )
    return {"params": params, "state": flat(tensors(model))}


def boundary_shrink(params):
    model, first = original().train(), original().eval()
    optimizer = sgd(model.parameters(), params)
    x = pixels[forget].clone().requires_grad_()
    F.cross_entropy(first(x), labels[forget]).backward()
    moved = torch.round(torch.clamp(x.detach() + params["bound"] * x.grad.sign(), 0, 1) * 255) / 255
    with torch.no_grad():
        answers = first(moved)
    if params["nearest"] == "other":
        answers[torch.arange(len(forget)), labels[forget]] = -torch.inf
    nearest = answers.argmax(1)
    print(f"boundary-shrink, {params['nearest']}: {(nearest != labels[forget]).sum().item()} of {len(forget)} are moved")
    step = lambda: descend(model, optimizer, F.cross_entropy(model(pixels[forget]), nearest))
    return {"params": params, "trace": [[step() for _ in range(params["epochs"])][-1]]}


def boundary_expand(params, draws):
    model = original().train()
    last, width = model.fc2, model.fc2.in_features
    bound = 1 / math.sqrt(width)
    row, bias = bound * (2 * draws.uniform(1, width) - 1), bound * (2 * draws.uniform(1) - 1)
    wide = torch.nn.Linear(width, CLASSES + 1)
    with torch.no_grad():
        wide.weight.copy_(torch.cat([last.weight, row]))
        wide.bias.copy_(torch.cat([last.bias, bias]))
    model.fc2 = wide
    optimizer = sgd(model.parameters(), params)
    losses = []
    for _ in range(params["epochs"]):
        loss = F.cross_entropy(model(pixels[forget]), torch.full((len(forget),), CLASSES))
        losses.append(descend(model, optimizer, loss)["loss"])
    with torch.no_grad():
        last.weight.copy_(wide.weight[:CLASSES])
        last.bias.copy_(wide.bias[:CLASSES])
    model.fc2 = last
    return {"params": params, "trace": [{"loss": losses[-1], "state": flat(tensors(model))}]}


LAYERS = {1: ["fc2"], 2: ["fc1", "fc2"], 3: ["conv3", "bn3", "fc1", "fc2"]}


def last_layers(params, anew):
    model, other = original().train(), fresh()
    moving = [getattr(model, name) for name in LAYERS[params["layers"]]]
    if anew:
        for name in LAYERS[params["layers"]]:
            if not name.startswith("bn"):
                getattr(model, name).load_state_dict(getattr(other, name).state_dict())
    optimizer = sgd([p for module in moving for p in module.parameters()], params)
    return {"params": params, "trace": [[fit(model, optimizer) for _ in range(params["epochs"])][-1]]}


def bad_teaching(params):
    student, good, bad = original().train(), original().eval(), fresh().eval()
    optimizer = torch.optim.Adam(student.parameters(), lr=params["learningRate"])
    part = retain[: int(params["retainShare"] * len(retain))]
    items, T = torch.cat([forget, part]), params["temperature"]
    with torch.no_grad():
        taught = F.softmax(torch.cat([bad(pixels[forget]), good(pixels[part])]) / T, dim=1)
    for _ in range(params["epochs"]):
        answers = F.log_softmax(student(pixels[items]) / T, dim=1)
        reduction = "mean" if params["reduction"] == "mean" else "batchmean"
        step = descend(student, optimizer, F.kl_div(answers, taught, reduction=reduction))
    return {"params": params, "trace": [step]}


def amnesiac(params, draws):
    model = original().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=params["learningRate"])
    wrong = []
    for label in labels[forget].tolist():
        other = draws.integer(CLASSES - 1)
        wrong.append(other if other < label else other + 1)
    items, wanted = torch.cat([forget, retain]), torch.cat([torch.tensor(wrong), labels[retain]])
    for _ in range(params["epochs"]):
        step = descend(model, optimizer, F.cross_entropy(model(pixels[items]), wanted))
    return {"params": params, "trace": [step]}


def ct(params):
    model = original().train()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.copy_(module.weight.swapaxes(2, 3).clone())
    optimizer = sgd(model.parameters(), params)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=params["epochs"])
    trace = []
    for _ in range(params["epochs"]):
        trace.append(fit(model, optimizer))
        falling.step()
    return {"params": params, "trace": trace}


def msg(params):
    model, other = original().eval(), fresh()
    part = retain[: len(forget)]
    difference = [a - b for a, b in zip(gradients(model, part), gradients(model, forget))]
    scales = []
    with torch.no_grad():
        for weight, anew, slope in zip(model.parameters(), other.parameters(), difference):
            scale = torch.ones_like(weight)
            if weight.ndim == 4:
                count = round(params["freshShare"] * weight.numel())
                chosen = torch.zeros(weight.numel(), dtype=bool)
                chosen[(-slope.abs()).flatten().topk(count).indices] = True
                chosen = chosen.reshape(weight.shape)
                weight.copy_(torch.where(chosen, anew, weight))
                scale[~chosen] = params["others"]
            scales.append(scale)
    for weight, scale in zip(model.parameters(), scales):
        weight.register_hook(lambda slope, scale=scale: slope * scale)
    model.train()
    optimizer = sgd(model.parameters(), params)
    epochs, trace = params["epochs"], []
    rising = (epochs + 1) // 2
    for epoch in range(1, epochs + 1):
        share = epoch / rising if epoch <= rising else (epochs + 1 - epoch) / (epochs + 1 - rising)
        optimizer.param_groups[0]["lr"] = params["learningRate"] * share
        trace.append(fit(model, optimizer))
    return {"params": params, "trace": trace}


def scissorhands(params, draws):
    """Where its batches are larger than D_f, a joint step with as many images of D_r, then a step on the others."""
    model, batch, lam = original().eval(), params["batchSize"], params["lambda"]
    late = [p for name, p in model.named_parameters() if name.startswith("fc")]
    saliency = [(p * slope).abs() for p, slope in zip(model.parameters(), gradients(model, forget[:batch]))]
    scores = torch.cat([s.flatten() for s in saliency])
    threshold = scores.kthvalue(int(params["sparsity"] * len(scores)))[0]
    with torch.no_grad():
        for weight, score in zip(model.parameters(), saliency):
            if any(weight is one for one in late):
                bound = 1 / math.sqrt(math.prod(weight.shape[1:]))
                anew = bound * (2 * draws.uniform(*weight.shape) - 1) if weight.ndim > 1 else torch.zeros_like(weight)
                weight.copy_(torch.where(score > threshold, anew, weight))
    optimizer, trace, projected = sgd(model.parameters(), params), [], 0
    for _ in range(params["epochs"]):
        model.eval()
        memory = torch.cat(
            [-slope.flatten() for p, slope in zip(model.parameters(), gradients(model, forget[:batch])) if any(p is one for one in late)]
        )
        model.train()
        first = retain[:batch]
        loss = F.cross_entropy(model(pixels[first]), labels[first])
        loss = loss - lam * F.cross_entropy(model(pixels[forget]), labels[forget])
        optimizer.zero_grad()
        loss.backward()
        step = torch.cat([p.grad.flatten() for p in late])
        if params["projection"] == "gem" and step @ memory < 0:
            # Half of v² (m·m + ε) + v g·m is least at −g·m / (m·m + ε); v may not be below the margin.
            v = max(params["margin"], (-(step @ memory) / (memory @ memory + 1e-3)).item())
            at = 0
            for p in late:
                p.grad.copy_((step + v * memory)[at : at + p.numel()].reshape(p.shape))
                at += p.numel()
            projected += 1
        optimizer.step()
        trace.append({"loss": loss.item(), "state": flat(tensors(model))})
        trace.append(fit(model, optimizer, retain[batch:]))
    print(f"scissorhands, {params['projection']}: {projected} of {params['epochs']} gradients are projected")
    return {"params": params, "trace": trace}


def fisher(params, draws, split=None):
    model = original().eval()
    kept = retain if split is None else torch.tensor(split["retain"])
    with torch.no_grad():
        last = [model.fc2.weight, model.fc2.bias]
    parameters = [*model.parameters()]
    sums = [torch.zeros_like(p) for p in parameters]
    if params["variant"] == "labelled":
        for i in range(len(kept)):
            for total, slope in zip(sums, gradients(model, kept[i : i + 1])):
                total += slope**2 / len(kept)
    else:
        batches = kept.split(params["batchSize"])
        for batch in batches:
            answers = model(pixels[batch])
            chances = F.softmax(answers, dim=-1).detach()
            for label in range(CLASSES):
                loss = F.cross_entropy(answers, torch.full((len(batch),), label))
                for total, slope in zip(sums, torch.autograd.grad(loss, parameters, retain_graph=True)):
                    total += chances[:, label].mean() * slope**2 / len(batches)
    with torch.no_grad():
        for p, squares in zip(parameters, sums):
            is_last = any(p is one for one in last)
            if params["variant"] == "labelled":
                noise = torch.sqrt(params["alpha"] / squares).clamp(max=1e-3)
                louder = is_last and (params["louder"] == "layer" or p.ndim == 1)
                p += noise * (10 if louder else 1) * draws.normal(*p.shape)
                continue
            variance = params["alpha"] * (1 / (squares + 1e-8)).clamp(max=1e2 if is_last else 1e3)
            if p.ndim > 1:
                variance = variance.mean(dim=1, keepdim=True).expand_as(p).clone()
            if is_last and split is not None:
                p[split["forgotten"]] = 0
                variance[split["forgotten"]] = 1e-4
            if is_last or p.ndim == 1:
                variance *= 10
            p += variance.sqrt() * draws.normal(*p.shape)
    return {"params": params, "split": split, "state": flat(tensors(model))}


def unsir(params, draws, split):
    model = original().eval()
    gone, kept, count = split["forgotten"], split["retain"], params["noiseImages"]
    noise = draws.normal(count, 1, 8, 8).requires_grad_()
    optimizer = torch.optim.Adam([noise], lr=params["noiseRate"])
    wrong = torch.full((count,), gone)
    losses = []
    for _ in range(params["noiseSteps"]):
        penalty = params["noisePenalty"] * noise.square().sum([1, 2, 3]).mean()
        loss = -F.cross_entropy(model(noise), wrong) + penalty
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    trace = [{"loss": sum(losses) / len(losses), "state": flat(tensors(model))}]
    taken = [i for i in kept if [j for j in kept if labels[j] == labels[i]].index(i) < params["perClass"]]
    own = torch.tensor(taken)
    copies = noise.detach().repeat(params["copies"], 1, 1, 1)
    model.train()
    x = torch.cat([copies, pixels[own]])
    y = torch.cat([wrong.repeat(params["copies"]), labels[own]])
    optimizer = torch.optim.Adam(model.parameters(), lr=params["impairRate"])
    trace.append(descend(model, optimizer, F.cross_entropy(model(x), y)))
    trace.append(fit(model, torch.optim.Adam(model.parameters(), lr=params["repairRate"]), own))
    return {"params": params, "split": split, "trace": trace}


def rewound(params, split):
    """SCRUB+R: the epochs of SCRUB, then the first whose error on D_f is nearest to the last one's on what was held out."""
    kept = torch.tensor(split["retain"])
    held_out = torch.tensor([i for i in range(COUNT) if i not in [*split["retain"], *split["forget"]]])
    student, teacher = original().train(), original().eval()
    T, optimizer = params["temperature"], sgd(student.parameters(), params)

    def divergence(items, answers):
        with torch.no_grad():
            taught = F.softmax(teacher(pixels[items]) / T, dim=1)
        return T**2 * F.kl_div(F.log_softmax(answers / T, dim=1), taught, reduction="batchmean")

    def error(items):
        with torch.no_grad():
            found = (student.eval()(pixels[items]).argmax(1) != labels[items]).double().mean().item()
        student.train()
        return found

    trace, epochs = [], []
    for epoch in range(1, params["epochs"] + 1):
        if epoch <= params["maxSteps"]:
            trace.append(descend(student, optimizer, -divergence(forget, student(pixels[forget]))))
        answers = student(pixels[kept])
        loss = params["alpha"] * divergence(kept, answers) + params["gamma"] * F.cross_entropy(answers, labels[kept])
        trace.append(descend(student, optimizer, loss))
        epochs.append((error(forget), trace[-1]["state"]))
    wanted = error(held_out)
    best = min(range(len(epochs)), key=lambda i: abs(epochs[i][0] - wanted))
    print(f"scrub, rewound to epoch {best + 1} of {len(epochs)}: errors {[e for e, _ in epochs]}, wanted {wanted}")
    return {"params": params, "split": split, "trace": trace, "state": epochs[best][1]}


STEP = {"learningRate": 0.1, "batchSize": 20, "momentum": 0.9, "weightDecay": 0.05}
ADAM = {"learningRate": 0.01, "batchSize": 20}
OF_CLASS = {
    "forgotten": 1,
    "forget": [i for i in range(COUNT) if labels[i] == 1],
    "retain": [i for i in range(COUNT) if labels[i] != 1],
}
HELD_OUT = {"forgotten": None, "forget": [*range(8)], "retain": [*range(8, 15)]}
cases = {
    "iu": lambda: [
        iu({"alpha": 5, "samples": 6, "recursion": "released"}),
        iu({"alpha": 5, "samples": 7, "recursion": "exact", "damping": 0.3}),
    ],
    "boundary-shrink": lambda: [
        boundary_shrink({**STEP, "epochs": 2, "bound": 0.1, "nearest": nearest}) for nearest in ("any", "other")
    ],
    "boundary-expand": lambda: [boundary_expand({**STEP, "epochs": 2}, Draws())],
    "cf-k": lambda: [last_layers({**STEP, "epochs": 2, "layers": k}, False) for k in (1, 3)],
    "eu-k": lambda: [last_layers({**STEP, "epochs": 2, "layers": k}, True) for k in (2, 3)],
    "bad-teaching": lambda: [
        bad_teaching({**ADAM, "epochs": 2, "retainShare": 0.5, "temperature": T, "reduction": reduction})
        for T, reduction in ((1, "mean"), (2, "batch"))
    ],
    "amnesiac": lambda: [amnesiac({**ADAM, "epochs": 2, "labels": "wrong"}, Draws())],
    "ct": lambda: [ct({**STEP, "epochs": 3})],
    "msg": lambda: [msg({**STEP, "epochs": 3, "freshShare": 0.3, "others": 0.1})],
    "scissorhands": lambda: [
        scissorhands(
            {**STEP, "epochs": 2, "batchSize": 8, "sparsity": 0.8, "snipBatches": 1, "lambda": lam}
            | ({"projection": "gem", "margin": margin} if margin else {"projection": "none"}),
            Draws(),
        )
        for lam, margin in ((0.05, 0.02), (0.05, 0.5), (0.9, None))
    ],
    "fisher": lambda: [
        fisher({"alpha": 1e-6, "variant": "labelled", "louder": "bias"}, Draws()),
        fisher({"alpha": 1e-7, "variant": "labelled", "louder": "layer"}, Draws()),
        fisher({"alpha": 1e-3, "variant": "expected", "batchSize": 5}, Draws()),
        fisher({"alpha": 1e-4, "variant": "expected", "batchSize": 32}, Draws(), OF_CLASS),
    ],
    "unsir": lambda: [
        unsir(
            {"batchSize": 64, "noiseImages": 4, "noiseSteps": 3, "noiseRate": 0.1, "noisePenalty": 0.1, "copies": 2}
            | {"perClass": 5, "impairPasses": 1, "impairRate": 0.02, "repairPasses": 1, "repairRate": 0.01},
            Draws(),
            OF_CLASS,
        )
    ],
    "scrub-rewind": lambda: [
        rewound(
            {**STEP, "learningRate": rate, "epochs": 4, "maxSteps": 3, "forgetBatchSize": 8, "decayAfter": [], "decay": 0.5}
            | {"temperature": 4, "alpha": 0.5, "gamma": 0.9, "rewind": "held-out"},
            HELD_OUT,
        )
        for rate in (0.02, 0.07)
    ],
}
if __name__ == "__main__":
    for name, found in cases.items():
        text = [{key: value for key, value in case.items() if value is not None} for case in found()]
        (here / f"{name}.json").write_text(json.dumps(text, separators=(",", ":")) + "\n")
    print(f"nearest input of a ReLU to 0: {make.nearest:.1e}")
