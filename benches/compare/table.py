"""Formats the numbers as Markdown."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from statistics import median

from catalog import NETWORKS

OURS = ("flex", "LibTorch", "CUDA", "CUDA, autotuned")
# Measurements between audits: sharptui's default.
AUDIT_EVERY = 10
# Relative errors below this come from rounding in float32, which neither side can avoid.
NEGLIGIBLE = 1e-5
# The largest error of a few samples scatters: up to this multiple of ours counts as equally accurate.
SCATTER = 2


STATISTICS = {"median": median, "fastest": min}

# The names of some of the work in the tables.
WORDS = {"step": "training step"}


def error(samples):
    """Returns the largest relative error."""
    return max(abs(sample["error"]) for sample in samples)


def ratio(above, below):
    return f"{above / below:.2f}" if above < 9.95 * below else f"{above / below:.0f}"


def seconds(samples, statistic):
    return STATISTICS[statistic](sample["seconds"] for sample in samples)


def about(result):
    """Returns the first cells of a row, which identify the case."""
    task = result["task"]
    return [NETWORKS[task["network"]].title, task["precision"], str(task["batch"]), str(task["probe"])]


def against_pytorch(results, statistic):
    """Compares training steps and products with PyTorch's, as ratios in both directions."""
    lines = [
        "| network | precision | batch | probe | work | back end | ours | PyTorch | ours / PyTorch | PyTorch / ours |",
        "|---|---|--:|--:|---|---|--:|--:|--:|--:|",
    ]
    for result in results:
        for work in ("step", "product, first", "product, further"):
            by = result["samples"].get(work, {})
            for name in [name for name in OURS if name in by]:
                ours = seconds(by[name], statistic)
                # On CUDA, the faster of PyTorch with and without cuDNN's benchmark counts.
                theirs = min(seconds(by[way], statistic) for way in by if way not in OURS)
                cells = [*about(result), WORDS.get(work, work), name, milliseconds(ours), milliseconds(theirs)]
                lines.append(row([*cells, ratio(ours, theirs), ratio(theirs, ours)]))
    return "\n".join(lines)


def searches(results, statistic):
    """Compares λ_max with PyHessian and curvlinops: their time divided by ours, so that sharptui is faster above 1.

    There are two comparisons: with the faster of PyHessian and curvlinops at 1e-3, whatever the errors, and with the fastest
    of all that are about as accurate. "With audits" adds a cold start to every tenth tracked measurement.
    """

    def beside(by, names, ours):
        if not names:
            return "none is"
        name = min(names, key=lambda name: seconds(by[name], statistic))
        return f"{ratio(seconds(by[name], statistic), ours)} ({name})"

    lines = [
        "| network | precision | batch | probe | back end | λ_max, first, at 1e-3 | as accurate "
        "| λ_max, tracked, at 1e-3 | as accurate | as accurate, with audits |",
        "|---|---|--:|--:|---|--:|--:|--:|--:|--:|",
    ]
    for result in [result for result in results if result["task"]["peers"]]:
        samples = result["samples"]
        both = [samples.get(work, {}) for work in ("λ_max, first", "λ_max, tracked")]
        for device in [name for name in OURS if any(name in by for by in both)]:
            cells = [*about(result), device]
            for work, by in zip(("first", "tracked"), both):
                if device not in by:
                    cells += ["–"] * (2 if work == "first" else 3)
                    continue
                ours, theirs = seconds(by[device], statistic), [name for name in by if name not in OURS]
                accurate = [name for name in theirs if error(by[name]) <= max(SCATTER * error(by[device]), NEGLIGIBLE)]
                plain = [name for name in theirs if name in ("PyHessian, 1e-03", "curvlinops")]
                cells += [beside(by, plain, ours), beside(by, accurate, ours)]
                if work == "tracked":
                    cold = both[0].get(device)
                    audit = seconds(cold, statistic) / AUDIT_EVERY if cold else 0.0
                    cells.append(beside(by, accurate, ours + audit) if cold else "–")
            lines.append(row(cells))
    return "\n".join(lines)


def details(results):
    lines = ["| network | precision | batch | probe | work | by | median | fastest to slowest | products | largest error |"]
    lines.append("|---|---|--:|--:|---|---|--:|--:|--:|--:|")
    for result in results:
        for work, by in result["samples"].items():
            for name, samples in by.items():
                times = [sample["seconds"] for sample in samples]
                cells = [*about(result), WORDS.get(work, work), name]
                cells += [milliseconds(median(times)), f"{milliseconds(min(times))} to {milliseconds(max(times))}"]
                if "error" in samples[0]:
                    cells += [f"{median(sample['products'] for sample in samples):g}"]
                    exact = result["task"]["precision"] == "float64"
                    cells += [f"{error(samples):.0e}" if exact else percent(error(samples))]
                else:
                    cells += ["", ""]
                lines.append(row(cells))
    return "\n".join(lines)


def conditions(chosen):
    packages = ("torch", "PyHessian", "curvlinops-for-pytorch", "numpy", "scipy")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{processor()}, {os.cpu_count()} cores, {chosen.threads} threads for every candidate; {device(chosen)}{platform.system()}; "
        f"Python {platform.python_version()}, {versions}; {compiler()}.\n"
        f"Ratios are of the {chosen.of} times. {chosen.between} training steps between tracked measurements. PyTorch: double "
        "backward, first with the gradient's graph built for the product, further with a retained graph. Tolerances: "
        "PyHessian's as named; 1e-3 for curvlinops; sharptui's defaults, a relative residual of 1e-3 from a cold start and of "
        "1e-2 when tracking; λ_max, exact: 1e-7. curvlinops is given the last eigenvector when tracking; tuned, also a "
        "tolerance of 1e-2 and a basis of 4. Errors are relative, the largest that occurred, against ARPACK in float64 at 1e-9; "
        f"below 0.001 %, and up to {SCATTER} times sharptui's, they count as equal."
    )


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def device(chosen):
    """Returns the GPU's name and settings, if one is used."""
    if chosen.device == "cpu":
        return ""
    import torch

    properties = torch.cuda.get_device_properties(chosen.device)
    return f"{properties.name}, CUDA {torch.version.cuda}, TF32 off, PyTorch's the better of cudnn.benchmark on and off; "


def compiler():
    try:
        return subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "built elsewhere"


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def row(cells):
    return "| " + " | ".join(cells) + " |"


def milliseconds(value):
    return f"{1e3 * value:.2f} ms" if value < 0.01 else f"{1e3 * value:.1f} ms" if value < 0.1 else f"{1e3 * value:.0f} ms"


def percent(value):
    if value < NEGLIGIBLE:
        return "< 0.001 %"
    return f"{100 * value:.3f} %" if value < 1e-3 else f"{100 * value:.2f} %" if value < 0.1 else f"{100 * value:.0f} %"
