"""PyTorch's side: training steps, and products by double backward, each as in its documentation.

Also λ_max to about its last digits, by ARPACK on double backward in float64.
"""

import time
import warnings

import numpy
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

# The number of losses that are read from the device at a time, both by sharptui and by the loop here.
LOSSES_READ_AT_ONCE = 32


def settle(threads, device):
    """Sets the number of threads, and true float32 on CUDA, without TF32."""
    torch.set_num_threads(threads)
    allow_tf32(False)
    if device != "cpu":
        torch.cuda.set_device(device)


def allow_tf32(on):
    """Uses the switches that every version has; newer versions warn that there are others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.backends.cuda.matmul.allow_tf32 = on
        torch.backends.cudnn.allow_tf32 = on


def ways(device):
    """Returns PyTorch's names in the tables, each with whether cuDNN benchmarks its algorithms."""
    return {"PyTorch": False} if device == "cpu" else {"PyTorch": False, "PyTorch, benchmark": True}


def autotune(on):
    torch.backends.cudnn.benchmark = on


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def timed(repeats, work, device, burst=1):
    """Returns the seconds per call of `repeats` bursts, after one more burst that fills caches and memory pools."""

    def calls():
        for _ in range(burst):
            work()
        synchronize(device)

    calls()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        calls()
        seconds.append((time.perf_counter() - started) / burst)
    return seconds


def step_seconds(case, repeats, burst=1, batch=None):
    """Times training steps: gathering a batch from the training set, gradient, running statistics, update."""
    before = {name: value.clone() for name, value in case.model.state_dict().items()}
    optimizer = torch.optim.SGD(case.model.parameters(), lr=case.learning_rate)
    total, device, losses = len(case.train.labels), case.device, []
    size = batch or len(case.probe.labels)
    case.model.train()

    def step():
        chosen = torch.randperm(total, device=device)[:size]
        optimizer.zero_grad()
        loss = case.loss(case.model(case.train.images[chosen]), case.train.labels[chosen])
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        if len(losses) == LOSSES_READ_AT_ONCE:
            torch.stack(losses).tolist()
            losses.clear()

    seconds = timed(repeats, step, device, burst)
    case.model.load_state_dict(before)
    case.model.zero_grad()
    return seconds


def gradient(case):
    """Returns the gradient on the probe with its graph, one tensor per parameter tensor."""
    value = case.loss(case.measured(case.probe.images), case.probe.labels)
    return torch.autograd.grad(value, case.parameters, create_graph=True)


def product_seconds(case, repeats):
    """Times double backward, first building the gradient's graph for each product, then with a retained graph."""
    v = [g.detach() for g in gradient(case)]
    first = timed(repeats, lambda: torch.autograd.grad(gradient(case), case.parameters, v), case.device)
    kept = gradient(case)
    again = lambda: torch.autograd.grad(kept, case.parameters, v, retain_graph=True)
    return first, timed(repeats, again, case.device)


def reference(case, tolerance=1e-9):
    """Returns λ_max of a float64 case to about its last digits: ARPACK on double backward."""
    kept = gradient(case)
    sizes = [p.numel() for p in case.parameters]

    def product(v):
        flat = torch.from_numpy(numpy.ascontiguousarray(v).reshape(-1)).to(case.device)
        parts = [part.view_as(p) for part, p in zip(flat.split(sizes), case.parameters)]
        rows = torch.autograd.grad(kept, case.parameters, parts, retain_graph=True)
        return torch.cat([row.flatten() for row in rows]).cpu().numpy()

    operator = LinearOperator((sum(sizes), sum(sizes)), matvec=product, dtype=numpy.float64)
    start = numpy.random.default_rng(0).standard_normal(sum(sizes))
    return eigsh(operator, k=1, which="LA", tol=tolerance, v0=start, return_eigenvectors=False)[0]
