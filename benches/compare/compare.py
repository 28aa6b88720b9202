"""Times sharptui and the Python tools on the same networks, and prints tables of ratios.

The candidates take turns: each round asks every candidate for a few repetitions, so that a slow moment of the machine
affects all of them.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

from catalog import BURST_ON_CPU, BURST_ON_GPU, NETWORKS, STEPS, STEPS_OF_LARGE, WORK, tasks

# The tolerance of curvlinops' ARPACK. With its basis of 20 vectors, every search takes at least 20 products, so a
# looser tolerance saves nothing.
TOLERANCE = 1e-3
# The default tolerance of sharptui's tracked measurements, used for curvlinops tuned for tracking.
TRACKING_TOLERANCE = 1e-2
# The tolerance of sharptui's λ_max in float64 that must agree with the digits of the reference.
TRUTH_TOLERANCE = 1e-7


def options():
    parser = argparse.ArgumentParser(prog="benches/compare/run", description="Times sharptui and the Python tools.")
    parser.add_argument("--threads", type=int, default=2, help="threads of every candidate (default 2)")
    parser.add_argument("--device", type=device, default="cpu", help="cpu (default), cuda or cuda:N")
    parser.add_argument("--no-libtorch", action="store_true", help="sharptui only on flex: builds faster")
    parser.add_argument(
        "--networks", nargs="+", choices=NETWORKS, help="networks (default: all that take at most a minute or two each)"
    )
    parser.add_argument(
        "--precisions", nargs="+", choices=("float32", "float64"), default=["float32", "float64"], help="(default: both)"
    )
    parser.add_argument(
        "--work",
        nargs="+",
        choices=WORK,
        help="what to time: training steps, products, λ_max from a cold start and tracked along training (default: all; on "
        "a CPU without tracking of large networks; in float64 without tracking)",
    )
    extents = {"choices": ("none", "small", "all"), "default": "small"}
    parser.add_argument("--flex", **extents, help="networks on which flex is timed, too (default small)")
    parser.add_argument("--peers", **extents, help="the same for PyHessian and curvlinops, in float32; on CUDA none is large")
    parser.add_argument("--batches", nargs="+", type=int, help="batch sizes (default: depends on the network)")
    parser.add_argument("--probe", type=int, help="held-out examples for λ_max (default: the batch size; on CUDA 1000)")
    parser.add_argument(
        "--steps",
        type=int,
        help=f"training steps before anything is measured (default {STEPS}; {STEPS_OF_LARGE} for large networks on a CPU)",
    )
    parser.add_argument("--between", type=int, default=10, help="training steps between tracked measurements (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of interleaved repetitions (default 3)")
    parser.add_argument("--points", type=int, default=5, help="tracked measurements (default 5)")
    parser.add_argument(
        "--tolerances", nargs="+", type=float, default=[1e-3, 1e-5], help="of PyHessian (default: its own 1e-3, and 1e-5)"
    )
    parser.add_argument(
        "--of", choices=["median", "fastest"], default="median", help="which times the ratios use; fastest on a busy machine"
    )
    parser.add_argument("--quick", action="store_true", help="one round, two points: to check that it runs")
    parser.add_argument("--binary", type=Path, help="sharptui's half, built before by `cargo bench --no-run`: builds nothing")
    parser.add_argument("--json", type=Path, help="also write every number into this file")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.points = 1, 2
    return chosen


def device(text):
    """Parses cpu, or cuda with its number."""
    name, colon, number = text.partition(":")
    if text == "cpu" or (name == "cuda" and (number.isdecimal() or not colon)):
        return text if text == "cpu" or colon else "cuda:0"
    raise argparse.ArgumentTypeError(f"`{text}` is not a device; expected cpu, cuda or cuda:N")


class Samples(dict):
    """All numbers of one case: [work][candidate] is a list of samples."""

    def take(self, work, candidate, seconds, **more):
        self.setdefault(work, {}).setdefault(candidate, []).append({"seconds": seconds, **more})

    def take_all(self, work, candidate, seconds):
        for one in seconds:
            self.take(work, candidate, one)

    def take_value(self, work, candidate, found, exact):
        found = {key: value for key, value in found.items() if key != "vector"}
        self.take(work, candidate, **found, error=float(found["value"] / exact - 1))
        if "residual" in found and abs(found["value"] - exact) > found["residual"] + 2e-5 * abs(exact):
            print(f"! {candidate}: {found['value']} ± {found['residual']} is not {exact}, {work}", flush=True)


def run(chosen, task, file):
    """Times one case."""
    import networks
    import theirs
    from rust import Rust

    samples = Samples()
    dtype = getattr(theirs.torch, task.precision)

    def loaded():
        case = networks.load(file, dtype, chosen.device)
        return case, reference() if {"lambda", "track"} & set(task.work) else None

    def reference():
        return float(theirs.reference(networks.load(file, theirs.torch.float64, chosen.device)))

    def take_peers(work, case, seed, exact, start=None):
        """Times the peers, and returns the eigenvector that curvlinops found, if it was timed."""
        if not task.peers:
            return None
        import searches

        theirs.autotune(chosen.device != "cpu")
        for tolerance in chosen.tolerances:
            found = searches.pyhessian(case, tolerance, seed)
            samples.take_value(work, f"PyHessian, {tolerance:.0e}", found, exact)
        found = searches.curvlinops(case, TOLERANCE, seed, start=start)
        samples.take_value(work, "curvlinops", found, exact)
        if start is not None:
            # The best setting for ARPACK here: the last vector, a loose tolerance, and a basis so small that it can
            # stop early.
            tuned = searches.curvlinops(case, TRACKING_TOLERANCE, seed, start=start, basis=4)
            samples.take_value(work, "curvlinops, tuned", tuned, exact)
        return found["vector"]

    with Rust(chosen, task, file) as rust:
        case, exact = loaded()
        last = None
        for seed in range(chosen.rounds):
            if "step" in task.work:
                on_gpu = chosen.device != "cpu"
                repeats, burst = (5, BURST_ON_GPU) if on_gpu else (10, BURST_ON_CPU)
                for ours in rust.devices:
                    samples.take_all("step", ours, rust.ask("step", ours, repeats=repeats, burst=burst)["seconds"])
                for name, autotune in theirs.ways(chosen.device).items():
                    theirs.autotune(autotune)
                    samples.take_all("step", name, theirs.step_seconds(case, repeats, burst, task.batch))
            if "product" in task.work:
                for ours in rust.devices:
                    timed = rust.ask("product", ours, repeats=5)
                    samples.take_all("product, first", ours, timed["first"])
                    samples.take_all("product, further", ours, timed["further"])
                for name, autotune in theirs.ways(chosen.device).items():
                    theirs.autotune(autotune)
                    first, further = theirs.product_seconds(case, 5)
                    samples.take_all("product, first", name, first)
                    samples.take_all("product, further", name, further)
            if "lambda" in task.work:
                for ours in rust.devices:
                    samples.take_value("λ_max, first", ours, rust.ask("cold", ours, seed=seed), exact)
                last = take_peers("λ_max, first", case, seed, exact)
        if "lambda" in task.work and task.precision == "float64":
            for ours in rust.devices:
                samples.take_value("λ_max, exact", ours, rust.ask("truth", ours, tolerance=TRUTH_TOLERANCE), exact)

        if "track" in task.work:
            for ours in rust.devices:
                rust.ask("track", ours)  # a cold start, which begins the track
            if task.peers and last is None:
                import searches

                last = searches.curvlinops(case, TOLERANCE, 0)["vector"]
            for point in range(chosen.points):
                rust.advance(chosen.between)
                case, exact = loaded()
                for ours in rust.devices:
                    samples.take_value("λ_max, tracked", ours, rust.ask("track", ours), exact)
                last = take_peers("λ_max, tracked", case, point, exact, start=last)
    return samples


def main():
    chosen = options()
    # Set before PyTorch and numpy are imported, because they create their thread pools then.
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(chosen.threads)
    import rust
    import table
    import theirs

    theirs.settle(chosen.threads, chosen.device)
    if not chosen.binary:
        print("building sharptui; the first time takes some minutes", flush=True)
        rust.build(chosen)

    results = []
    with tempfile.TemporaryDirectory() as folder:
        for task in tasks(chosen):
            title = NETWORKS[task.network].title
            print(f"timing the {title}, {task.precision}, batches of {task.batch}, {task.probe} held out", flush=True)
            samples = run(chosen, task, Path(folder) / "case.safetensors")
            results.append({"task": vars(task), "samples": samples})
            if chosen.json:
                # Written after each case, so that nothing is lost if a later case is interrupted.
                chosen.json.write_text(json.dumps({"options": vars(chosen), "results": results}, default=str, indent=1))
    for text in (
        table.against_pytorch(results, chosen.of),
        table.searches(results, chosen.of),
        table.details(results),
        table.conditions(chosen),
    ):
        print(f"\n{text}")


if __name__ == "__main__":
    main()
