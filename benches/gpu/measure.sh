#!/usr/bin/env bash
# Measures sharptui on an NVIDIA GPU, and PyTorch, PyHessian and curvlinops with the same parameters and examples.
#
#   benches/gpu/measure.sh [OPTION…] [PART…]
#
#   --binary FILE   sharptui with LibTorch (default: target/release/sharptui)
#   --data DIR      the folder of cifar-10-batches-bin (default: $SHARPTUI_DATA)
#   --python FILE   a Python with PyTorch; with PyHessian and curvlinops for the last comparison (default: python3)
#   --device NAME   libtorch:cuda:N, or libtorch for a rehearsal on a CPU (default: libtorch:cuda:0)
#   --tiny          small networks and few steps: only to check that everything runs
#   --keep DIR      keep the runs in this folder (default: they are deleted)
#
# Parts (default: all):
#
#   truth           λ_max of small networks in float64, compared with PyTorch's, then in float32 and with TF32
#   steps           training steps of VGG-11 (64), ResNet-18 (64) with batch norm and 784-256-256-10
#   lambda          λ_max of 1,000 images from a cold start at 1e-3, in float32, and with a search in TF32
#   peers           the same steps, products and λ_max by PyTorch, PyHessian and curvlinops; needs the runs of `lambda`
#   memory          the peak memory of a measurement of VGG-11 on 1,000 images, and PyTorch's
#   transfers       copies and waits in each step of VGG-11, counted by calls.c
#   out_of_memory   a probe that cannot fit, and whether the next cell runs
#   deterministic   whether two runs agree bit for bit
#   runners         cells an hour with 1 to 16 runners, without and with MPS (benches/runners.sh)
#
# It only prints numbers and checks no limits; docs/src/back-ends.md says what the build needs.
set -uo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"

binary="$root/target/release/sharptui" data="${SHARPTUI_DATA:-}" python=python3 device=libtorch:cuda:0 tiny='' keep=''
parts=()
while (($# > 0)); do
    case "$1" in
        --binary) binary="$2"; shift ;;
        --data) data="$2"; shift ;;
        --python) python="$2"; shift ;;
        --device) device="$2"; shift ;;
        --keep) keep="$2"; shift ;;
        --tiny) tiny=yes ;;
        truth | steps | lambda | peers | memory | transfers | out_of_memory | deterministic | runners) parts+=("$1") ;;
        *) sed -n '2,/^set/{/^set/d; s/^# \{0,1\}//; p}' "$0"; exit 2 ;;
    esac
    shift
done
((${#parts[@]})) || parts=(truth steps lambda peers memory transfers out_of_memory deterministic runners)

binary="$(realpath "$binary")" || exit 2
[[ -x "$binary" ]] || { echo "$binary is not a program; use --binary FILE"; exit 2; }
[[ -d "$data" ]] && data="$(realpath "$data")"
# PyTorch's name for the device, and the number of the GPU.
case "$device" in
    libtorch) torch=cpu gpu='' ;;
    libtorch:cuda:*) torch="${device#libtorch:}" gpu="${device##*:}" ;;
    *) echo "--device $device: expected libtorch:cuda:N or libtorch"; exit 2 ;;
esac
[[ "$python" == */* ]] && python="$(realpath -s "$python")"
libraries="$("$python" -c 'import os, torch; print(os.path.join(torch.__path__[0], "lib"))')" || exit 2

if [[ -n "$keep" ]]; then
    mkdir -p "$keep" && work="$(realpath "$keep")"
else
    work="$(mktemp -d)"
    temporary="$work"
fi
watch=''
ended() {
    [[ -n "$watch" ]] && kill "$watch"
    [[ -n "${temporary:-}" ]] && rm -rf "$temporary"
}
trap ended EXIT
cd "$work" || exit 2

# Runs sharptui with the libraries of this PyTorch.
sharptui() { LD_LIBRARY_PATH="$libraries" "$binary" "$@"; }

# NAME: prints the path of a configuration, or of a tiny version of it with --tiny.
config() {
    local path="$here/configs/$1.ron"
    if [[ -n "$tiny" ]]; then
        mkdir -p configs
        sed -E -e 's/width: (8|16|64)\b/width: 4/g; s/\[256, 256\]/[32, 32]/g; s/tolerance: 0.0*1/tolerance: 0.01/' \
            -e 's/_examples: [0-9]+/_examples: 32/; s/\bexamples: (10|200|500)\)/examples: 8)/; s/\bexamples: 1000\)/examples: 32)/; s/batch_size: (50|128)/batch_size: 32/' \
            -e 's/steps: (20|50|600|6000),/steps: 6,/; s/Steps\([0-9]+\)/Steps(2)/' "$path" > "configs/$1.ron"
        path="$PWD/configs/$1.ron"
    fi
    echo "$path"
}

# SECONDS FOLDER NAME: trains a configuration into FOLDER/NAME. Fails if a cell fails or the time is up.
train() {
    local limit="$1" folder="$2" name="$3" from=$SECONDS code=0 place=()
    rm -rf "${folder:?}/$name"
    [[ -n "$data" ]] && place=(--data "$data")
    LD_LIBRARY_PATH="$libraries" timeout "$limit" "$binary" --plain --device "$device" "${place[@]}" --out "$folder" \
        "$(config "$name")" > "$folder-$name.log" 2>&1 || code=$?
    echo "  ($name: $((SECONDS - from)) s)"
    if ((code)); then
        echo "  $name ended with $code; its last output:"
        tail -n 3 "$folder-$name.log" | cut -c 1-200 | sed 's/^/  | /'
    fi
    return $code
}

# CELL NAME TOLERANCE: writes a cell's parameters and probe into NAME.safetensors, and its λ_max in float64 into
# NAME.lambda.
dump() {
    local place=()
    [[ -n "$data" ]] && place=(--data "$data")
    sharptui lambda "$1" --device "$device" "${place[@]}" --tolerance "$3" --dump "$2.safetensors" > "$2.log" 2>&1 ||
        { tail -n 3 "$2.log"; return 1; }
    sed -n 's/^lambda_max *//p' "$2.log" > "$2.lambda"
}

# Checks that CIFAR-10 is there for a part.
has_cifar() {
    [[ -d "$data/cifar-10-batches-bin" ]] && return
    echo "  not measured: no cifar-10-batches-bin in '${data}'; use --data DIR"
    return 1
}

# Runs a command and prints its peak memory on the GPU, or on the host in a rehearsal.
measuring_memory() { "$python" "$here/memory.py" "${gpu:-host}" "$@"; }

truth() {
    local name cell runs=() dumps=()
    for name in truth_float64 truth_float32 truth_tf32; do
        train 240 runs "$name" && runs+=("runs/$name")
    done
    [[ -d runs/truth_float64/cells ]] || return
    "$python" "$here/runs.py" lambda "${runs[@]}"
    for cell in runs/truth_float64/cells/*; do
        name="truth-${cell##*/}"
        dump "$cell" "$name" 1e-8 && dumps+=("$name.safetensors")
    done
    "$python" "$here/peers.py" check --device "$torch" "${dumps[@]}"
}

steps() {
    has_cifar || return
    local name
    for name in steps_vgg11 steps_vgg11_autotuned steps_vgg11_tf32 steps_vgg11_deterministic steps_resnet18 \
        steps_resnet18_autotuned steps_resnet18_tf32 steps_mlp256; do
        train 90 runs "$name" && "$python" "$here/runs.py" steps "runs/$name"
    done
}

lambda() {
    has_cifar || return
    local name
    for name in lambda_vgg11 lambda_vgg11_autotuned lambda_vgg11_search_tf32 lambda_resnet18 lambda_resnet18_search_tf32 \
        lambda_mlp256; do
        train 120 runs "$name" && "$python" "$here/runs.py" cold "runs/$name"
    done
}

peers() {
    local name batch short=()
    [[ -n "$tiny" ]] && short=(--repeats 1 --burst 2)
    for name in vgg11 resnet18 mlp256; do
        [[ -d "runs/lambda_$name/cells/001" ]] || { echo "  $name: not measured without the run of lambda"; continue; }
        dump "runs/lambda_$name/cells/001" "$name" 1e-5 || continue
        echo "$name, sharptui in float64 at 1e-5: λ_max $(< "$name.lambda")"
        [[ $name == mlp256 ]] && batch=32 || batch=128
        "$python" "$here/peers.py" time --device "$torch" --batch $batch "${short[@]}" "$name.safetensors"
        [[ -n "$gpu" ]] && "$python" "$here/peers.py" time --device "$torch" --batch $batch --tf32 "$name.safetensors"
    done
}

memory() {
    has_cifar || return
    local path
    path="$(config memory)"
    LD_LIBRARY_PATH="$libraries" measuring_memory "$binary" --plain --device "$device" --data "$data" --out runs "$path" \
        > memory.log 2>&1
    echo "sharptui: $(tail -n 1 memory.log)"
    [[ -d runs/memory/cells/000 ]] || { tail -n 5 memory.log; return; }
    dump runs/memory/cells/000 memory 1e-3 || return
    measuring_memory "$python" "$here/peers.py" memory --device "$torch" memory.safetensors
}

transfers() {
    has_cifar || return
    if [[ -z "$gpu" ]] || ! command -v cc > /dev/null; then
        echo "  not measured: there is no C compiler, or no GPU"
        return
    fi
    local few=100 many=300 count
    cc -shared -fPIC -O2 -o calls.so "$here/calls.c" -ldl || return
    for count in $few $many; do
        # With MALLOC_ARENA_MAX set, for which the program would otherwise start itself again.
        CALLS="$PWD/calls-$count" LD_PRELOAD="$PWD/calls.so" LD_LIBRARY_PATH="$libraries" MALLOC_ARENA_MAX=1 "$binary" \
            --plain --device "$device" --data "$data" --steps "$count" --out "transfers-$count" "$(config transfers)" \
            > "transfers-$count.log" 2>&1
    done
    "$python" "$here/calls.py" "$few" "calls-$few" "$many" "calls-$many" || tail -n 5 "transfers-$many.log"
}

out_of_memory() {
    # Its first cell must fail.
    train 240 runs out_of_memory || true
    grep -h -i -m 3 -e 'memory' runs-out_of_memory.log
    "$python" "$here/runs.py" cells runs/out_of_memory
}

deterministic() {
    train 120 first deterministic && train 120 second deterministic &&
        "$python" "$here/runs.py" same first/deterministic second/deterministic
}

runners() {
    local few=()
    [[ -n "$tiny" ]] && few=(--steps 20 --cells 2 1 2)
    LD_LIBRARY_PATH="$libraries" "$here/../runners.sh" --binary "$binary" --device "$device" --python "$python" "${few[@]}"
}

if [[ -n "$gpu" ]]; then
    nvidia-smi --id="$gpu" --query-gpu=name,driver_version,memory.total --format=csv,noheader
    # Records the load of the GPU once a second.
    nvidia-smi --id="$gpu" --query-gpu=utilization.gpu,memory.used,power.draw,clocks.sm --format=csv,noheader,nounits -l 1 \
        > nvidia-smi.csv &
    watch=$!
fi
"$python" -c 'import torch; print("torch", torch.__version__, "CUDA", torch.version.cuda)'
sharptui --version
for part in "${parts[@]}"; do
    echo "== $part"
    from=$SECONDS lines=0
    [[ -n "$gpu" ]] && lines="$(wc -l < nvidia-smi.csv)"
    "$part"
    [[ -n "$gpu" ]] && tail -n "+$((lines + 1))" nvidia-smi.csv | "$python" -c '
import sys
rows = [line.split(", ") for line in sys.stdin]
columns = [[float(cell) for cell in column if cell.strip().replace(".", "").isdigit()] for column in zip(*rows)]
names = ("% busy", "MiB used", "W", "MHz")
most = ", ".join(f"{max(column):g} {name}" for name, column in zip(names, columns) if column)
print(f"  nvidia-smi meanwhile, maxima: {most}; {len(rows)} readings")'
    echo "  ($((SECONDS - from)) s)"
done
