#!/usr/bin/env bash
# Prints how many cells an hour runners train, against their number; on a GPU without and with NVIDIA's MPS.
#
#   benches/runners.sh [OPTION…] [NUMBER…]
#
#   NUMBER          numbers of runners (default: 1 2 4 8 16, as far as there are processors)
#   --binary FILE   sharptui (default: target/release/sharptui)
#   --device NAME   the device (default: flex)
#   --cells COUNT   cells of each sweep (default: twice the largest number of runners)
#   --steps COUNT   optimizer steps of each cell (default: 1000)
#   --rounds COUNT  how often each number is measured; the fastest counts (default: 1)
#   --python FILE   a Python (default: python3)
#
# The cells are those of configs/dropout.ron without dropout, with different seeds and a fixed number of steps. A sweep
# is timed from the beginning of its first cell to the end of its last one; the time before that is printed beside it.
set -uo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/.." && pwd)"

binary="$root/target/release/sharptui" device=flex cells='' steps=1000 rounds=1 python=python3 numbers=()
while (($# > 0)); do
    case "$1" in
        --binary) binary="$2"; shift ;;
        --device) device="$2"; shift ;;
        --cells) cells="$2"; shift ;;
        --steps) steps="$2"; shift ;;
        --rounds) rounds="$2"; shift ;;
        --python) python="$2"; shift ;;
        [1-9]*) numbers+=("$1") ;;
        *) sed -n '2,/^set/{/^set/d; s/^# \{0,1\}//; p}' "$0"; exit 2 ;;
    esac
    shift
done
binary="$(realpath "$binary")" || exit 2
[[ -x "$binary" ]] || { echo "$binary is not a program; use --binary FILE"; exit 2; }
if ((${#numbers[@]} == 0)); then
    for number in 1 2 4 8 16; do
        ((number == 1 || number <= $(nproc))) && numbers+=("$number")
    done
fi
most=1
for number in "${numbers[@]}"; do ((number > most)) && most="$number"; done
cells="${cells:-$((2 * most))}"

work="$(mktemp -d)"
has_mps=''
ended() {
    [[ -n "$has_mps" ]] && echo quit | nvidia-cuda-mps-control > "$work/mps-quit" 2>&1
    rm -rf "$work"
}
trap ended EXIT
cd "$work" || exit 2

seeds="$(seq -s ', ' 0 $((cells - 1)))"
sed -E -e "s/^( *dropout:) .*/\1 [0.0],/; s/^( *seed:) .*/\1 [$seeds],/; s/^( *steps:) .*/\1 $steps,/" \
    -e '/until_train_accuracy:/d' "$root/configs/dropout.ron" > runners.ron
"$binary" check runners.ron > check 2>&1 || { cat check; exit 1; }

# NUMBER WORDS: times the sweep with this number of runners.
measure() {
    local round from code
    for ((round = 0; round < rounds; round++)); do
        rm -rf runs
        from="$(date +%s.%N)" code=0
        "$binary" --plain --device "$device" --runners "$1" runners.ron > log 2>&1 || code=$?
        if ((code)); then
            echo "  $1 runners ended with $code; the last output:"
            tail -n 3 log | cut -c 1-200 | sed 's/^/  | /'
            return
        fi
        "$python" - "$1" "$2" "$from" << 'END' >> measured
import json, sys
number, words, start = sys.argv[1], sys.argv[2], float(sys.argv[3])
entries = [json.loads(line) for line in open("runs/dropout/events.jsonl")]
begun = min(entry["at"] for entry in entries if entry["kind"] == "Begun")
ended = [entry["at"] for entry in entries if entry["kind"] == "Ended"]
threads = json.load(open("runs/dropout/run.json"))["threads"]
lost = sum("lost" in entry["words"] for entry in entries if entry["kind"] == "Notice")
print(number, threads, len(ended), max(ended) - begun, begun - start, lost, words, sep="\t")
END
    done
}

for number in "${numbers[@]}"; do measure "$number" ''; done
if [[ "$device" == *cuda* ]]; then
    if command -v nvidia-cuda-mps-control > /dev/null; then
        export CUDA_MPS_PIPE_DIRECTORY="$work/mps" CUDA_MPS_LOG_DIRECTORY="$work/mps"
        mkdir mps
        if nvidia-cuda-mps-control -d > mps-start 2>&1; then
            has_mps=yes
            for number in "${numbers[@]}"; do measure "$number" 'with MPS'; done
        else
            echo "  MPS does not start: $(tail -n 1 mps-start)"
        fi
    else
        echo '  not measured with MPS: there is no nvidia-cuda-mps-control'
    fi
fi
[[ -s measured ]] || exit 1
"$python" - "$device" "$cells" "$steps" << 'END'
import sys
device, cells, steps = sys.argv[1:]
print(f"{cells} cells of {steps} steps on {device}")
print(f"{'runners':>7} {'threads':>7} {'cells/h':>8} {'times one':>9} {'start':>7}")
rows = {}
for line in open("measured"):
    number, threads, ended, seconds, start, lost, words = line.rstrip("\n").split("\t")
    row = (float(seconds), int(threads), int(ended), float(start), int(lost))
    rows[number, words] = min(row, rows.get((number, words), row))
first = next(iter(rows.values()))
for (number, words), (seconds, threads, ended, start, lost) in rows.items():
    hour = ended / seconds * 3600
    note = f"  {words}" + (f"  {lost} runners lost" if lost else "")
    print(f"{number:>7} {threads:>7} {hour:8.0f} {hour / (first[2] / first[0] * 3600):9.2f} {start:5.1f} s{note}".rstrip())
END
