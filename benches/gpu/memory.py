"""Runs a command and prints its peak memory, on a GPU (`memory.py N COMMAND…`) or on the host (`memory.py host …`).

On a GPU, it is the memory in use by the driver's count, minus that before the command. It includes CUDA's contexts, the
memory that an allocator holds, and whatever other programs use on the GPU at the same time.
"""

import resource
import subprocess
import sys
import threading


def used(gpu, *more):
    return ["nvidia-smi", f"--id={gpu}", "--query-gpu=memory.used", "--format=csv,noheader,nounits", *more]


def on_gpu(gpu, command):
    before = int(subprocess.run(used(gpu), capture_output=True, text=True, check=True).stdout)
    # One process that reports the used memory every 20 ms.
    watch = subprocess.Popen(used(gpu, "-lms", "20"), stdout=subprocess.PIPE, text=True)
    seen = [before]
    reader = threading.Thread(target=lambda: seen.extend(int(line) for line in watch.stdout if line.strip().isdecimal()))
    reader.start()
    code = subprocess.run(command).returncode
    watch.terminate()
    reader.join()
    print(f"peak: {max(seen) - before} MiB of GPU {gpu} by the driver's count, context included")
    return code


def on_host(command):
    code = subprocess.run(command).returncode
    # Linux gives it in KiB.
    print(f"peak: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10} MiB of the host")
    return code


def main():
    place, *command = sys.argv[1:] or [""]
    if not command:
        sys.exit(__doc__)
    sys.exit(on_host(command) if place == "host" else on_gpu(place, command))


if __name__ == "__main__":
    main()
