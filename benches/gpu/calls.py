"""Prints copies and waits per training step: `calls.py STEPS_A FILE_A STEPS_B FILE_B`, with two files of `calls.c`.

The difference of the two runs removes everything that they do besides steps.
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
