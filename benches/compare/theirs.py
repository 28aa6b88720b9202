"""What is timed in Python: PyTorch, PyHessian and curvlinops, each as its documentation has it."""

import sys
import time

import numpy
import torch
from curvlinops import HessianLinearOperator
from pyhessian import hessian as PyHessian
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import nn

from networks import LEARNING_RATE

mean_loss = nn.CrossEntropyLoss()


def timed(repeats, work):
    """Seconds of each call; one more before them fills caches and pools of memory."""
    work()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def step_seconds(case, repeats):
    """Training steps: a batch gathered from the training set, gradient, update."""
    before = {name: value.clone() for name, value in case.model.state_dict().items()}
    optimizer = torch.optim.SGD(case.parameters, lr=LEARNING_RATE)
    size, total = len(case.probe.labels), len(case.train.labels)

    def step():
        batch = torch.randperm(total)[:size]
        optimizer.zero_grad()
        mean_loss(case.model(case.train.images[batch]), case.train.labels[batch]).backward()
        optimizer.step()

    seconds = timed(repeats, step)
    case.model.load_state_dict(before)
    case.model.zero_grad()
    return seconds


def gradient(case):
    """The gradient on the probe, with its graph, one tensor a parameter."""
    value = mean_loss(case.model(case.probe.images), case.probe.labels)
    return torch.autograd.grad(value, case.parameters, create_graph=True)


def product_seconds(case, repeats):
    """Double backward, with the gradient's graph built for each product, and with one that is kept."""
    v = [g.detach() for g in gradient(case)]
    first = timed(repeats, lambda: torch.autograd.grad(gradient(case), case.parameters, v))
    kept = gradient(case)
    further = timed(repeats, lambda: torch.autograd.grad(kept, case.parameters, v, retain_graph=True))
    return first, further


def reference(case):
    """λ_max of a float64 case to about its last digits: ARPACK on double backward."""
    kept = gradient(case)
    sizes = [p.numel() for p in case.parameters]

    def product(v):
        parts = torch.from_numpy(numpy.ascontiguousarray(v).reshape(-1)).split(sizes)
        parts = [part.view_as(p) for part, p in zip(parts, case.parameters)]
        rows = torch.autograd.grad(kept, case.parameters, parts, retain_graph=True)
        return torch.cat([row.flatten() for row in rows]).numpy()

    operator = LinearOperator((sum(sizes), sum(sizes)), matvec=product, dtype=numpy.float64)
    start = numpy.random.default_rng(0).standard_normal(sum(sizes))
    return eigsh(operator, k=1, which="LA", tol=1e-9, v0=start, return_eigenvectors=False)[0]


def pyhessian(case, tolerance, seed):
    """Power iteration, which finds the largest eigenvalue by magnitude, until a step changes it by less than the tolerance.

    Its product is wrapped to be counted; nothing else of it is touched.
    """
    torch.manual_seed(seed)
    module, count = sys.modules["pyhessian.hessian"], 0
    product = module.hessian_vector_product

    def counted(*arguments):
        nonlocal count
        count += 1
        return product(*arguments)

    module.hessian_vector_product = counted
    try:
        started = time.perf_counter()
        of = PyHessian(case.model, mean_loss, data=(case.probe.images, case.probe.labels), cuda=False)
        values, _ = of.eigenvalues(maxIter=1000, tol=tolerance, top_n=1)
        seconds = time.perf_counter() - started
    finally:
        module.hessian_vector_product = product
    # It leaves a gradient that holds its own graph.
    case.model.zero_grad()
    return {"seconds": seconds, "value": values[0], "products": count}


def curvlinops(case, tolerance, seed, start=None, basis=None):
    """ARPACK on curvlinops' operator; `start` is a vector to begin from, `basis` ARPACK's ncv, 20 if not given.

    The operator's own check that it is deterministic, which costs products, is off.
    """
    count = 0
    if start is None:
        start = numpy.random.default_rng(seed).standard_normal(sum(p.numel() for p in case.parameters))
    started = time.perf_counter()
    data = [(case.probe.images, case.probe.labels)]
    inner = HessianLinearOperator(case.model, mean_loss, case.parameters, data, check_deterministic=False).to_scipy()

    def product(v):
        nonlocal count
        count += 1
        return inner.matvec(v)

    operator = LinearOperator(inner.shape, matvec=product, dtype=inner.dtype)
    values, vectors = eigsh(operator, k=1, which="LA", tol=tolerance, v0=start, ncv=basis)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "value": values[0], "products": count, "vector": vectors[:, 0]}
