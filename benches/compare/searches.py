"""λ_max by PyHessian and by curvlinops, each used as in its documentation."""

import sys
import time
import warnings

import numpy
import torch
from curvlinops import HessianLinearOperator
from pyhessian import hessian as PyHessian
from scipy.sparse.linalg import LinearOperator, eigsh

from theirs import synchronize

# PyHessian keeps the gradient's graph in the gradient; `zero_grad` frees it after each measurement.
warnings.filterwarnings("ignore", message="Using backward\\(\\) with create_graph=True")


def pyhessian(case, tolerance, seed):
    """Power iteration, which finds the largest eigenvalue by magnitude, until a step changes it by less than the tolerance.

    Its product is wrapped in order to count; nothing else is changed.
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
        synchronize(case.device)
        started = time.perf_counter()
        data = (case.probe.images, case.probe.labels)
        of = PyHessian(case.measured, case.loss, data=data, cuda=case.device.type == "cuda")
        values, _ = of.eigenvalues(maxIter=1000, tol=tolerance, top_n=1)
        synchronize(case.device)
        seconds = time.perf_counter() - started
    finally:
        module.hessian_vector_product = product
    # PyHessian leaves a gradient that holds its own graph.
    case.measured.zero_grad()
    return {"seconds": seconds, "value": values[0], "products": count}


def curvlinops(case, tolerance, seed, start=None, basis=None):
    """ARPACK on curvlinops' operator; `start` is the start vector, `basis` is ARPACK's ncv, by default 20.

    The operator's check that it is deterministic, which costs products, is off.
    """
    count = 0
    if start is None:
        start = numpy.random.default_rng(seed).standard_normal(sum(p.numel() for p in case.parameters))
    synchronize(case.device)
    started = time.perf_counter()
    data = [(case.probe.images, case.probe.labels)]
    hessian = HessianLinearOperator(case.measured, case.loss, case.parameters, data, check_deterministic=False)
    inner = hessian.to_scipy()

    def product(v):
        nonlocal count
        count += 1
        return inner.matvec(v)

    operator = LinearOperator(inner.shape, matvec=product, dtype=inner.dtype)
    values, vectors = eigsh(operator, k=1, which="LA", tol=tolerance, v0=start.astype(inner.dtype), ncv=basis)
    synchronize(case.device)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "value": values[0], "products": count, "vector": vectors[:, 0]}
