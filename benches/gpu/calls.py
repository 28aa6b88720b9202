"""Copies and waits in each training step: `calls.py STEPS_A TABLE_A STEPS_B TABLE_B`, two tables of calls by nsys.

What both runs do besides stepping is taken off by the difference.
"""

import csv
import sys

# By what the names of CUDA's calls begin with.
KINDS = {"copies": ("cudaMemcpy", "cuMemcpy"), "waits": ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")}


def counts(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        kind: sum(int(row["Num Calls"]) for row in rows if row["Name"].startswith(names)) for kind, names in KINDS.items()
    }


def main():
    few, few_table, many, many_table = sys.argv[1:]
    fewer, more = counts(few_table), counts(many_table)
    steps = int(many) - int(few)
    print(", ".join(f"{(more[kind] - fewer[kind]) / steps:.2f} {kind}" for kind in KINDS), "a training step")


if __name__ == "__main__":
    main()
