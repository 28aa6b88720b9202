"""Times sharptui and what there is in Python on the same networks, and prints one table of ratios.

Everything is interleaved: each round asks every candidate for a few repetitions, so that a slow moment of the machine
falls on all of them.
"""

import argparse
import json
import os
import tempfile
import warnings
from pathlib import Path

# Of curvlinops' ARPACK. Its basis of 20 vectors makes every search at least 20 products long: a looser one saves nothing.
TOLERANCE = 1e-3
# Of sharptui's tracked measurements, its default, for a curvlinops that is tuned to track.
TRACKING_TOLERANCE = 1e-2

NETWORKS = {"mlp": "fully connected, 784-200-200-10", "cnn": "convolutional, 8 and 16 channels"}


def options():
    parser = argparse.ArgumentParser(prog="benches/compare/run", description="Prints how sharptui compares.")
    parser.add_argument("--threads", type=int, default=2, help="of every candidate (default 2)")
    parser.add_argument("--no-libtorch", action="store_true", help="sharptui on flex alone: builds faster")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--batches", nargs="+", type=int, default=[128, 1000], help="of training and of held-out examples")
    parser.add_argument("--steps", type=int, default=100, help="training steps before anything is measured (default 100)")
    parser.add_argument("--between", type=int, default=10, help="training steps between tracked measurements (default 10)")
    parser.add_argument("--rounds", type=int, default=5, help="of interleaved repetitions (default 5)")
    parser.add_argument("--points", type=int, default=8, help="tracked measurements (default 8)")
    parser.add_argument(
        "--tolerances", nargs="+", type=float, default=[1e-3, 1e-5], help="of PyHessian (default 1e-3, its own, and 1e-5)"
    )
    parser.add_argument(
        "--of", choices=["median", "fastest"], default="median", help="times in ratios; fastest on a busy machine"
    )
    parser.add_argument("--quick", action="store_true", help="two rounds, three points: to see that it runs")
    parser.add_argument("--json", type=Path, help="also write every number here")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.points = 2, 3
    return chosen


def run(chosen, network, batch, file):
    """Every number of one case: [work][candidate] is a list of samples."""
    import networks
    import theirs
    from rust import Rust

    samples = {}

    def take(work, candidate, seconds, **more):
        samples.setdefault(work, {}).setdefault(candidate, []).append({"seconds": seconds, **more})

    def take_all(work, candidate, seconds):
        for one in seconds:
            take(work, candidate, one)

    def take_pyhessian(work, case, seed, exact):
        for tolerance in chosen.tolerances:
            found = theirs.pyhessian(case, tolerance, seed)
            take_value(work, f"PyHessian, {tolerance:.0e}", found, exact)

    def take_value(work, candidate, found, exact):
        found = {key: value for key, value in found.items() if key != "vector"}
        take(work, candidate, **found, error=found["value"] / exact - 1)
        if "residual" in found and abs(found["value"] - exact) > found["residual"] + 2e-5 * abs(exact):
            print(f"! {candidate}: {found['value']} ± {found['residual']} is not {exact}, {work}", flush=True)

    with Rust(not chosen.no_libtorch, chosen.threads, network, batch, chosen.steps, file) as rust:
        case = networks.load(file)
        exact = theirs.reference(networks.load(file, theirs.torch.float64))
        for seed in range(chosen.rounds):
            for device in rust.devices:
                take_all("step", device, rust.ask("step", device, repeats=10)["seconds"])
            take_all("step", "PyTorch", theirs.step_seconds(case, 10))
            for device in rust.devices:
                timed = rust.ask("product", device, repeats=5)
                take_all("product, first", device, timed["first"])
                take_all("product, further", device, timed["further"])
            first, further = theirs.product_seconds(case, 5)
            take_all("product, first", "PyTorch", first)
            take_all("product, further", "PyTorch", further)
            for device in rust.devices:
                take_value("λ_max, first", device, rust.ask("cold", device, seed=seed), exact)
            take_pyhessian("λ_max, first", case, seed, exact)
            take_value("λ_max, first", "curvlinops", theirs.curvlinops(case, TOLERANCE, seed), exact)

        for device in rust.devices:
            rust.ask("track", device)  # cold: the beginning of the track
        last = theirs.curvlinops(case, TOLERANCE, 0)["vector"]
        for point in range(chosen.points):
            rust.advance(chosen.between)
            case = networks.load(file)
            exact = theirs.reference(networks.load(file, theirs.torch.float64))
            for device in rust.devices:
                take_value("λ_max, tracked", device, rust.ask("track", device), exact)
            take_pyhessian("λ_max, tracked", case, point, exact)
            found = theirs.curvlinops(case, TOLERANCE, point, start=last)
            take_value("λ_max, tracked", "curvlinops", found, exact)
            # As good as ARPACK gets here: the last vector, a loose tolerance, and a basis so small that it can stop early.
            tuned = theirs.curvlinops(case, TRACKING_TOLERANCE, point, start=last, basis=4)
            take_value("λ_max, tracked", "curvlinops, tuned", tuned, exact)
            last = found["vector"]
    return samples


def main():
    chosen = options()
    # Before PyTorch and numpy are imported: their pools of threads are made then.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(chosen.threads)
    import torch

    import rust
    import table

    torch.set_num_threads(chosen.threads)
    # PyHessian keeps the gradient's graph in the gradient; here it is freed after each measurement.
    warnings.filterwarnings("ignore", message="Using backward\\(\\) with create_graph=True")
    print("building sharptui; the first time takes some minutes", flush=True)
    rust.build(not chosen.no_libtorch, chosen.threads)

    results = []
    with tempfile.TemporaryDirectory() as folder:
        for network in chosen.networks:
            for batch in chosen.batches:
                print(f"timing the {NETWORKS[network]}, {batch} examples", flush=True)
                samples = run(chosen, network, batch, Path(folder) / "case.safetensors")
                results.append({"network": network, "batch": batch, "samples": samples})
                if chosen.json:
                    # After each case, so that nothing is lost when a later one is cut off.
                    chosen.json.write_text(json.dumps({"options": vars(chosen), "results": results}, default=str, indent=1))
    print()
    print(table.ratios(results, chosen.of))
    print()
    print(table.details(results))
    print()
    print(table.conditions(chosen))


if __name__ == "__main__":
    main()
