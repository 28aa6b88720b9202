"""The networks that are timed, and the default work for each."""

from dataclasses import dataclass

# The work that can be timed: training steps, products, λ_max from a cold start, λ_max tracked along training.
WORK = ("step", "product", "lambda", "track")


@dataclass(frozen=True)
class Network:
    # Its name in the tables.
    title: str
    # Batch sizes.
    batches: tuple = (128,)
    # Whether it is slow on a CPU. Then flex, PyHessian, curvlinops and tracking are left out unless they are asked for.
    large: bool = False
    # Whether it is timed only on a GPU, unless it is asked for.
    gpu: bool = False


NETWORKS = {
    "mlp": Network("fully connected, 784-200-200-10", (128, 1000)),
    "mlp256": Network("fully connected, 784-256-256-10", (32,), gpu=True),
    "cnn": Network("convolutional, 8 and 16 channels", (128, 1000)),
    "vgg11": Network("VGG-11 of width 16", large=True),
    "vgg11_64": Network("VGG-11 of width 64", large=True, gpu=True),
    "resnet20": Network("ResNet-20 of width 8, batch norm", large=True),
    "resnet18": Network("ResNet-18 of width 64, batch norm", large=True, gpu=True),
}

# The number of examples of the probe on a GPU, for every batch size.
PROBE_ON_GPU = 1000
# Training steps before anything is measured.
STEPS, STEPS_OF_LARGE = 100, 20
# Training steps between two readings of the clock: on a GPU, a real run does not wait after each step either.
BURST_ON_CPU, BURST_ON_GPU = 1, 20


@dataclass(frozen=True)
class Task:
    """One network in one precision and size, and the work to time."""

    network: str
    precision: str
    batch: int
    probe: int
    steps: int
    # A part of WORK.
    work: tuple
    # In sharptui's names: flex, libtorch, libtorch:cuda:N.
    devices: tuple
    # Whether PyHessian and curvlinops are timed, too.
    peers: bool


def tasks(chosen):
    """Returns the tasks that the options ask for, in order."""
    on_gpu = chosen.device != "cpu"
    names = chosen.networks or [name for name, of in NETWORKS.items() if on_gpu or not of.gpu]
    return [
        task(chosen, name, precision, batch)
        for name in names
        for precision in chosen.precisions
        for batch in chosen.batches or batches(name, precision)
    ]


def batches(name, precision):
    """Returns the batch sizes; in float64 only the first, because the others take long and add little."""
    return NETWORKS[name].batches if precision == "float32" else NETWORKS[name].batches[:1]


def task(chosen, name, precision, batch):
    on_gpu, slow = chosen.device != "cpu", NETWORKS[name].large and chosen.device == "cpu"
    work = chosen.work or (WORK if precision == "float32" and not slow else WORK[:3])

    def taken(extent):
        return extent == "all" or (extent == "small" and not slow)

    if on_gpu:
        devices = (f"libtorch:{chosen.device}",)
    elif chosen.no_libtorch:
        devices = ("flex",)
    else:
        devices = ("flex", "libtorch") if taken(chosen.flex) else ("libtorch",)
    return Task(
        network=name,
        precision=precision,
        batch=batch,
        probe=chosen.probe or (PROBE_ON_GPU if on_gpu else batch),
        steps=chosen.steps if chosen.steps is not None else STEPS_OF_LARGE if slow else STEPS,
        work=tuple(work),
        devices=devices,
        # PyHessian's vectors have 32 bits.
        peers=precision == "float32" and taken(chosen.peers),
    )
