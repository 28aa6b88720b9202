"""Runs a command and prints the most memory that it took, on a GPU (`memory.py N COMMAND…`) or of the host (`memory.py host …`).

A GPU's is what the driver says to be used there, less what was used before: the contexts of CUDA and what an allocator
holds are in it, and whatever else anybody does there at the same time.
"""

import resource
import subprocess
import sys
import threading


def used(gpu, *more):
    return ["nvidia-smi", f"--id={gpu}", "--query-gpu=memory.used", "--format=csv,noheader,nounits", *more]


def on_gpu(gpu, command):
    before = int(subprocess.run(used(gpu), capture_output=True, text=True, check=True).stdout)
    # One process that says it again every 20 ms.
    watch = subprocess.Popen(used(gpu, "-lms", "20"), stdout=subprocess.PIPE, text=True)
    seen = [before]
    reader = threading.Thread(target=lambda: seen.extend(int(line) for line in watch.stdout if line.strip().isdecimal()))
    reader.start()
    code = subprocess.run(command).returncode
    watch.terminate()
    reader.join()
    print(f"at the most {max(seen) - before} MiB of GPU {gpu} by the driver, context included")
    return code


def on_host(command):
    code = subprocess.run(command).returncode
    # Linux says it in KiB.
    print(f"at the most {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10} MiB of the host")
    return code


def main():
    place, *command = sys.argv[1:] or [""]
    if not command:
        sys.exit(__doc__)
    sys.exit(on_host(command) if place == "host" else on_gpu(place, command))


if __name__ == "__main__":
    main()
