"""sharptui's half of the comparison: a process that answers requests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]


def command(chosen):
    """Returns the command that builds it, and that runs it with arguments after `--`."""
    features = [] if chosen.no_libtorch else ["--features", "tch"]
    return ["cargo", "bench", "--quiet", "--bench", "compare", *features]


def environment(chosen):
    """Returns environment variables: LibTorch from this interpreter's PyTorch, and the threads of flex and LibTorch."""
    here, threads = os.path.dirname(sys.executable), chosen.threads
    # A binary that was built here finds LibTorch by itself.
    libraries = {"LD_LIBRARY_PATH": os.path.join(torch.__path__[0], "lib")} if chosen.binary else {}
    return os.environ | libraries | {
        "PATH": here + os.pathsep + os.environ["PATH"],
        "LIBTORCH_USE_PYTORCH": "1",
        # No TF32 on CUDA, whatever LibTorch's defaults are.
        "NVIDIA_TF32_OVERRIDE": "0",
        "RAYON_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # The program itself sets the following ones, see src/device/environment.rs.
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": "1099511627776",
        "MALLOC_TRIM_THRESHOLD_": "1099511627776",
    }


def build(chosen):
    built = subprocess.run([*command(chosen), "--no-run"], cwd=ROOT, env=environment(chosen))
    if built.returncode != 0:
        sys.exit("sharptui could not be built; cargo's output is above")


class Rust:
    """A case: the network after some training steps, on every device of the task. `file` has its parameters."""

    def __init__(self, chosen, task, file):
        numbers = (task.batch, task.probe, task.steps)
        arguments = [task.network, task.precision, *map(str, numbers), ",".join(task.devices), str(file)]
        begin = [str(chosen.binary.resolve())] if chosen.binary else [*command(chosen), "--"]
        self.file = file
        self.process = subprocess.Popen(
            [*begin, *arguments],
            cwd=ROOT,
            env=environment(chosen),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.devices = {name: index for index, name in enumerate(self._answer()["devices"])}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, what, device=None, **more):
        request = {"ask": what, **more} | ({} if device is None else {"device": self.devices[device]})
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self._answer()

    def advance(self, steps):
        self.ask("advance", steps=steps, file=str(self.file))

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("sharptui's half ended early; its output is above")
        return json.loads(line)
