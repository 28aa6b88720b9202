"""Prints numbers from the run directories of `measure.sh`.

    runs.py lambda RUN…     every λ_max, and the difference of the first one, at the same parameters, from that of the first run
    runs.py steps RUN…      milliseconds of a training step
    runs.py cold RUN…       λ_max from a cold start, without the first cell, which loads CUDA's libraries
    runs.py cells RUN…      how each cell ended
    runs.py same RUN RUN    whether two runs recorded the same numbers and parameters, bit for bit
"""

import csv
import json
import sys
from pathlib import Path
from statistics import median

# Keys of a point that depend on the clock.
TIMES = ("seconds", "lambda_seconds")


def cells(run):
    return sorted(Path(run).glob("cells/*"))


def points(cell):
    """Returns the points of a cell; none if it has not begun."""
    path = cell / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def measured(cell):
    return [point for point in points(cell) if point.get("lambda_max") is not None]


def show_lambda(runs):
    for index, reference in enumerate(cells(runs[0])):
        exact = measured(reference)[0]["lambda_max"]
        for run in runs:
            values = [point["lambda_max"] for point in measured(cells(run)[index])]
            words = ", ".join(f"{value:.9g}" for value in values)
            beside = "" if run is runs[0] else f"; the first is off by {abs(values[0] / exact - 1):.1e}"
            print(f"{reference.name}, {Path(run).name}: λ_max {words}{beside}")


def show_steps(runs):
    for run in runs:
        for cell in cells(run):
            evaluated = [point for point in points(cell) if point.get("train_loss") is not None]
            # The first span is left out: λ_max is measured before the first step, and the first steps load CUDA's
            # libraries.
            spans = list(zip(evaluated[1:], evaluated[2:]))
            times = [(b["seconds"] - a["seconds"]) / (b["step"] - a["step"]) for a, b in spans]
            words = " ".join(f"{1e3 * seconds:.3f}" for seconds in times)
            print(f"{Path(run).name}: {words} ms a step" if times else f"{Path(run).name}: too few evaluations")


def show_cold(runs):
    for run in runs:
        first = [measured(cell)[0] for cell in cells(run)[1:] if measured(cell)]
        if not first:
            print(f"{Path(run).name}: nothing measured")
            continue
        seconds = [point["lambda_seconds"] for point in first]
        a_product = median(point["lambda_seconds"] / point["lambda_hvps"] for point in first)
        values = ", ".join(f"{point['lambda_max']:.7g}" for point in first)
        products = ", ".join(str(point["lambda_hvps"]) for point in first)
        words = ", ".join(f"{second:.3f}" for second in seconds)
        print(f"{Path(run).name}: {words} s; {products} products of {1e3 * a_product:.1f} ms, all included; λ_max {values}")


def show_cells(runs):
    for run in runs:
        with open(Path(run) / "summary.csv", newline="") as file:
            for row in csv.DictReader(file):
                kept = ("cell", "model", "state", "steps", "lambda_max")
                words = [f"{name} {row[name]}" for name in kept if row.get(name)]
                print(f"{Path(run).name}: {', '.join(words)}")


def show_same(runs):
    first, second = runs
    same = True
    for one, other in zip(cells(first), cells(second), strict=True):
        for name, content in (("metrics.jsonl", timeless), ("model.safetensors", Path.read_bytes)):
            if content(one / name) != content(other / name):
                same = False
                print(f"cell {one.name}: {name} differs")
    print(f"{len(cells(first))} cells, {'the same to the bit' if same else 'NOT the same'}")
    return same


def timeless(path):
    points = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in point.items() if key not in TIMES} for point in points]


def main():
    shows = {"lambda": show_lambda, "steps": show_steps, "cold": show_cold, "cells": show_cells, "same": show_same}
    what, *runs = sys.argv[1:] or [""]
    if what not in shows or not runs:
        sys.exit(__doc__)
    sys.exit(shows[what](runs) is False)


if __name__ == "__main__":
    main()
