#!/usr/bin/env bash
# Kills a training with SIGKILL at random moments, starts the same command again each time, and checks that it ends
# with the same bits as one that was never killed: weights, predictions, scores and the losses of every step.
#
#   tests/kill-and-resume.sh KILLS BERT VERB [FLAGS…]
#
# BERT is the binary (target/release/bert); FLAGS must not hold --output-dir. WORK names a folder to work in, SEED
# repeats the moments. Exit code 0: every kill was survived and the ends are equal.
set -euo pipefail

if (($# < 3)); then
    sed -n '5s/^# *//p' "$0" >&2
    exit 2
fi
kills=$1 bert=$2
shift 2
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
RANDOM=${SEED:-$$}
export BERT_DEMO_DIR=${BERT_DEMO_DIR:-$(dirname "$0")/../data/demo}

digest() { # what must be equal, of a finished run in $1
    (
        cd "$1"
        sha256sum model.safetensors predictions.json nbest_predictions.json predictions.jsonl 2>/dev/null || true
        grep -v train_seconds eval_results.txt
        # Steps and evaluations, without what depends on the clock or the machine.
        sed -E 's/,"(padding_share|[a-z_]*per_second|memory_bytes|device_[a-z_]*)":[^,}]*//g' metrics.jsonl
    ) | sha256sum
}

started=$(date +%s%N)
"$bert" "$@" --output-dir "$work/whole" >"$work/whole.log" 2>&1
whole_ms=$((($(date +%s%N) - started) / 1000000))
expected=$(digest "$work/whole")
echo "uninterrupted: $((whole_ms / 1000)) s" >&2

done_kills=0 run=1 finished=0
while ((done_kills < kills)) || ((finished == 0)); do
    dir=$work/killed-$run
    "$bert" "$@" --output-dir "$dir" >>"$work/killed-$run.log" 2>&1 &
    pid=$!
    finished=0
    if ((done_kills < kills)); then
        # Anywhere from the start of the process to a little beyond a third of a whole run.
        sleep "$(printf '%d.%03d' $((RANDOM * whole_ms / 90000000)) $((RANDOM % 1000)))"
        if kill -9 "$pid" 2>/dev/null; then
            done_kills=$((done_kills + 1))
            wait "$pid" 2>/dev/null || true
            echo "killed $done_kills of $kills; $(find "$dir/checkpoints" -maxdepth 1 -name 'step-*' 2>/dev/null | wc -l) checkpoints" >&2
            continue
        fi
    fi
    wait "$pid" || { echo "a resumed run failed; see $work/killed-$run.log" >&2; exit 1; }
    if [[ $(digest "$dir") != "$expected" ]]; then
        echo "$dir differs from $work/whole" >&2
        exit 1
    fi
    echo "run $run ended with the same bits after $done_kills kills in all" >&2
    finished=1 run=$((run + 1))
done
echo "$done_kills kills, $((run - 1)) runs finished, all equal to the one that was never killed"
