#!/bin/sh
# Gives tasks to an agent that is called from the command line, as `claude -p` is, and lives with what agents do: one hangs, one says
# that it is done and is not, and at some time all of them are limited until 8pm.
#
# Usage: AGENT=claude examples/claude-headless/run.sh TASKS.jsonl [DIR], with `job-manager` on the path. A task is a line such as
# {"id": 7, "prompt": "…"}, and its agent is to write answers/7.txt. Without AGENT a stand-in for one is called.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tasks=$(realpath "$1")
export AGENT=${AGENT:-$here/fake-agent.sh} JOB_MANAGER=${JOB_MANAGER:-job-manager}
mkdir -p "${2:-agents}/answers" && cd "${2:-agents}"
export JOB_MANAGER_DB=$PWD/jobs.db

"$JOB_MANAGER" run -q --name agents -j "${WORKERS:-4}" --adapt 1 --timeout "${TIMEOUT:-20m}" --kill-after 5s --backoff "${BACKOFF:-10s..5m}" \
    --exit 76=busy --max-later 48h --creates 'answers/{id}.txt' --result json --env AGENT --env JOB_MANAGER \
    --jsonl "$tasks" -- "$here/ask.sh" '{id}' '{prompt}' || status=$?

# What each answer cost stands in its result.
"$JOB_MANAGER" results --format jsonl agents >answers.jsonl
sed -n 's/.*"total_cost_usd": *\([0-9.]*\).*/\1/p' answers.jsonl |
    awk '{ sum += $1 } END { printf "%d tasks done, %.2f usd\n", NR, sum }'
exit "${status:-0}"
