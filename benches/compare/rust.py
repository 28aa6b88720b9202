"""sharptui's half of the comparison, a process that is asked and answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# By the first word of the device's name; versions follow it.
DEVICES = {"flex": "flex", "libtorch": "LibTorch"}


def command(libtorch):
    """What builds it, and with arguments after it runs it."""
    features = ["--features", "tch"] if libtorch else []
    return ["cargo", "bench", "--quiet", "--bench", "compare", *features]


def environment(threads):
    """The LibTorch of this interpreter's PyTorch, and the number of threads for flex and for LibTorch."""
    here = os.path.dirname(sys.executable)
    return os.environ | {
        "PATH": here + os.pathsep + os.environ["PATH"],
        "LIBTORCH_USE_PYTORCH": "1",
        "RAYON_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # As the program sets them for itself, see src/device/environment.rs.
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": "1099511627776",
        "MALLOC_TRIM_THRESHOLD_": "1099511627776",
    }


def build(libtorch, threads):
    built = subprocess.run([*command(libtorch), "--no-run"], cwd=ROOT, env=environment(threads))
    if built.returncode != 0:
        sys.exit("sharptui could not be built; what cargo said is above")


class Rust:
    """A case: the network trained for some steps, on every device of the build; `file` then has its parameters."""

    def __init__(self, libtorch, threads, network, batch, steps, file):
        arguments = [network, str(batch), str(steps), str(file)]
        self.file = file
        self.process = subprocess.Popen(
            [*command(libtorch), "--", *arguments],
            cwd=ROOT,
            env=environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        names = self._answer()["devices"]
        words = [name.split()[0] for name in names]
        self.devices = {DEVICES[word]: index for index, word in enumerate(words) if word in DEVICES}

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
            sys.exit("sharptui's half ended early; what it said is above")
        return json.loads(line)
