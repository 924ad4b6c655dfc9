#!/bin/sh
# Asks a provider many questions as batches that it answers within a day: each unit submits one batch, keeps its number and
# looks now and then whether it is done. Four workers are enough for thousands of batches, because a unit that waits has none.
#
# Usage: PROVIDER=https://… examples/provider-batch/run.sh QUESTIONS [DIR], with `job-manager` and curl on the path; SIZE questions make a
# batch, which is looked at every POLL. Called again, it goes on with the same job.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
questions=$(realpath "$1")
: "${PROVIDER:?is the address of the provider}"
export PROVIDER JOB_MANAGER=${JOB_MANAGER:-job-manager} POLL=${POLL:-10m}
mkdir -p "${2:-batches}" && cd "${2:-batches}"
export JOB_MANAGER_DB=$PWD/jobs.db

"$JOB_MANAGER" run -q --name batches --key "$(cksum <"$questions")" -j 4 -n "${SIZE:-1000}" --result text \
    --exit 65=fail,76=busy --adapt 1 --max-later 48h --env PROVIDER --env POLL --env JOB_MANAGER \
    --lines "$questions" -- "$here/batch.sh" '{}'
"$JOB_MANAGER" results --format jsonl batches >answers.jsonl
