"""The numbers as Markdown."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from statistics import median

NAMES = {"mlp": "fully connected", "cnn": "convolutional"}
OURS = ("flex", "LibTorch")
# Measurements, sharptui's default.
AUDIT_EVERY = 10
# Relative errors below this are rounding in float32, which neither side can help.
NEGLIGIBLE = 1e-5
# Largest errors of a handful of samples scatter: up to this many times ours is as accurate.
SCATTER = 2


STATISTICS = {"median": median, "fastest": min}


def error(samples):
    """The largest relative error."""
    return max(abs(sample["error"]) for sample in samples)


def ratio(theirs, ours):
    return f"{theirs / ours:.2f}" if theirs < 9.95 * ours else f"{theirs / ours:.0f}"


def ratios(results, statistic):
    """Theirs over ours, so that above 1 sharptui is the faster one.

    λ_max twice: beside the faster of PyHessian and curvlinops at 1e-3, whatever the errors, and beside the fastest of all
    that is about as accurate. With audits: a cold start beside every tenth tracked measurement.
    """

    def seconds(samples):
        return STATISTICS[statistic](sample["seconds"] for sample in samples)

    def beside(by, names, ours):
        if not names:
            return "none is"
        name = min(names, key=lambda name: seconds(by[name]))
        return f"{ratio(seconds(by[name]), ours)} ({name})"

    lines = [
        "| network | batch | back end | training step | product, first | product, further "
        "| λ_max, first, at 1e-3 | as accurate | λ_max, tracked, at 1e-3 | as accurate | as accurate, with audits |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for result in results:
        samples = result["samples"]
        for device in [d for d in OURS if d in samples["step"]]:
            cells = [NAMES[result["network"]], str(result["batch"]), device]
            for work in ("step", "product, first", "product, further"):
                cells.append(ratio(seconds(samples[work]["PyTorch"]), seconds(samples[work][device])))
            cold = seconds(samples["λ_max, first"][device])
            for work in ("λ_max, first", "λ_max, tracked"):
                by = samples[work]
                ours, theirs = seconds(by[device]), [name for name in by if name not in OURS]
                accurate = [name for name in theirs if error(by[name]) <= max(SCATTER * error(by[device]), NEGLIGIBLE)]
                plain = [name for name in theirs if name in ("PyHessian, 1e-03", "curvlinops")]
                cells += [beside(by, plain, ours), beside(by, accurate, ours)]
                if work == "λ_max, tracked":
                    cells.append(beside(by, accurate, ours + cold / AUDIT_EVERY))
            lines.append(row(cells))
    return "\n".join(lines)


def details(results):
    lines = ["| network | batch | work | by | median | fastest to slowest | products | largest error |"]
    lines.append("|---|--:|---|---|--:|--:|--:|--:|")
    for result in results:
        for work, by in result["samples"].items():
            for name, samples in by.items():
                times = [sample["seconds"] for sample in samples]
                cells = [NAMES[result["network"]], str(result["batch"]), work, name]
                cells += [milliseconds(median(times)), f"{milliseconds(min(times))} to {milliseconds(max(times))}"]
                if "error" in samples[0]:
                    cells += [f"{median(sample['products'] for sample in samples):g}", percent(error(samples))]
                else:
                    cells += ["", ""]
                lines.append(row(cells))
    return "\n".join(lines)


def conditions(chosen):
    packages = ("torch", "PyHessian", "curvlinops-for-pytorch", "numpy", "scipy")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return (
        f"{processor()}, {os.cpu_count()} cores, {chosen.threads} threads for every candidate; {platform.system()}; "
        f"Python {platform.python_version()}, {versions}; {rustc}.\n"
        f"Ratios are theirs over ours, of the {chosen.of} times. Float32. {chosen.steps} training steps first, {chosen.between} between tracked measurements. Tolerances: "
        "PyHessian's as named; 1e-3 for curvlinops; sharptui's defaults, a relative residual of 1e-3 from a cold start and of "
        "1e-2 when tracking. curvlinops is given the last eigenvector when tracking; tuned, also a tolerance of 1e-2 and a "
        "basis of 4. Errors are relative, the largest that occurred, against ARPACK in float64 at 1e-9; below "
        f"0.001 %, and up to {SCATTER} times sharptui's, they count as equal."
    )


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
