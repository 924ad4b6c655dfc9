#!/bin/sh
# One unit: the arguments are the questions of one batch. What a provider answers is JSON, which `jq -r .id` and
# `jq -r .status` read; the stand-in for one in the tests answers with the bare words.
set -eu

# Asks the provider; says that it is busy (exit code 76) where it says so.
ask() {
    answer=$(curl --silent --show-error --max-time 60 --write-out '\n%{http_code}' "$@") || exit 1
    code=${answer##*
}
    answer=${answer%
*}
    case $code in
        2??) ;;
        429 | 503) echo "the provider is busy" >&2 && exit 76 ;;
        4??) echo "the provider refused: $answer" >&2 && exit 65 ;;
        *) echo "the provider failed: $code $answer" >&2 && exit 1 ;;
    esac
}

if ! batch=$("$JOB_MANAGER" unit-checkpoint get 2>/dev/null); then
    # The token is the same in every attempt. Whatever dies before the number is kept, the provider knows that it has this batch
    # already.
    questions=$(printf '%s\n' "$@")
    ask --header "Idempotency-Key: $JOB_MANAGER_TOKEN" --data-binary "$questions" "$PROVIDER/batches"
    batch=$answer
    "$JOB_MANAGER" unit-checkpoint put "$batch"
fi

ask "$PROVIDER/batches/$batch"
case $answer in
    completed)
        ask "$PROVIDER/batches/$batch/results"
        printf '%s\n' "$answer"
        ;;
    failed) echo "batch $batch failed" >&2 && exit 65 ;;
    *) exec "$JOB_MANAGER" unit-later "$POLL" --reason "the provider works on its batches" ;;
esac
