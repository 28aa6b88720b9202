"""Copies and waits in each training step: `calls.py STEPS_A FILE_A STEPS_B FILE_B`, two files by `calls.c`.

What both runs do besides stepping is taken off by the difference.
"""

import csv
import sys


def counts(path):
    with open(path, newline="") as file:
        return {kind: int(count) for kind, count in csv.reader(file)}


def main():
    few, few_calls, many, many_calls = sys.argv[1:]
    fewer, more = counts(few_calls), counts(many_calls)
    steps = int(many) - int(few)
    print(", ".join(f"{(more[kind] - fewer[kind]) / steps:.2f} {kind}" for kind in more), "a training step")


if __name__ == "__main__":
    main()
