"""Runs PyTorch, PyHessian and curvlinops on dumps of `sharptui lambda --dump`: the same parameters and examples.

    peers.py check DUMP…    λ_max in float64, by ARPACK on double backward; compared with sharptui's if DUMP.lambda has it
    peers.py time DUMP…     training steps, products, λ_max at 1e-3; on CUDA with cuDNN's default and with its benchmark
    peers.py memory DUMP    the memory that some products of a retained graph take
"""

import argparse
import statistics
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compare"))

import networks
import theirs

# The number of products of a cold start of sharptui.
PRODUCTS = 10


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("check", "time", "memory"))
    parser.add_argument("dumps", nargs="+", type=Path)
    parser.add_argument("--device", default="cuda:0", help="cuda:N (default cuda:0) or cpu")
    parser.add_argument("--batch", type=int, default=128, help="batch size of training steps (default 128)")
    parser.add_argument("--tf32", action="store_true", help="training steps and products with TF32")
    parser.add_argument("--repeats", type=int, default=5, help="repetitions (default 5)")
    parser.add_argument("--burst", type=int, default=20, help="training steps between two readings of the clock (default 20)")
    return parser.parse_args()


def check(chosen, dump):
    value = theirs.reference(networks.load(dump, torch.float64, chosen.device))
    words, known = "", dump.with_suffix(".lambda")
    if known.exists():
        ours = float(known.read_text())
        words = f", sharptui {ours:.10g}, {abs(ours / value - 1):.1e} apart"
    print(f"{dump.stem}: PyTorch λ_max {value:.10g}{words}", flush=True)


def milliseconds(seconds):
    return f"{1e3 * statistics.median(seconds):.3f} ms ({1e3 * min(seconds):.3f} to {1e3 * max(seconds):.3f})"


def time(chosen, dump):
    case = networks.load(dump, torch.float32, chosen.device)
    theirs.allow_tf32(chosen.tf32)
    tf32 = ", TF32" if chosen.tf32 else ""
    for name, autotune in theirs.ways(chosen.device).items():
        theirs.autotune(autotune)
        steps = theirs.step_seconds(case, chosen.repeats, chosen.burst, chosen.batch)
        first, further = theirs.product_seconds(case, chosen.repeats)
        print(f"{dump.stem}, {name}{tf32}: training step of {chosen.batch} {milliseconds(steps)}", flush=True)
        print(f"{dump.stem}, {name}{tf32}: product on {len(case.probe.labels)} with its graph {milliseconds(first)}")
        print(f"{dump.stem}, {name}{tf32}: product with a retained graph {milliseconds(further)}", flush=True)
        if chosen.tf32:
            continue
        import searches

        for peer, find in (("PyHessian", searches.pyhessian), ("curvlinops", searches.curvlinops)):
            find(case, 1e-3, 0)  # loads libraries and benchmarks algorithms for the next ones
            for seed in (1, 2):
                found = find(case, 1e-3, seed)
                words = f"{found['seconds']:.3f} s, {found['products']} products, λ_max {float(found['value']):.7g}"
                print(f"{dump.stem}, {name}, {peer} at 1e-3: {words}", flush=True)


def memory(chosen, dump):
    case = networks.load(dump, torch.float32, chosen.device)
    kept = theirs.gradient(case)
    v = [g.detach() for g in kept]
    for _ in range(PRODUCTS):
        v = torch.autograd.grad(kept, case.parameters, v, retain_graph=True)
        length = torch.sqrt(sum(part.square().sum() for part in v))
        v = [part / length for part in v]
    if case.device.type == "cuda":
        peak, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
        print(f"{dump.stem}, PyTorch: {peak >> 20} MiB allocated at the peak, {reserved >> 20} MiB reserved")


def main():
    chosen = options()
    theirs.settle(torch.get_num_threads(), chosen.device)
    for dump in chosen.dumps:
        {"check": check, "time": time, "memory": memory}[chosen.what](chosen, dump)


if __name__ == "__main__":
    main()
