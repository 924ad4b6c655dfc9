#!/bin/sh
# A nightly batch of questions to a language model: a limited rate, a quota, a look at the first answers before the rest
# is asked, one question that is never answered, and a report at the end.
#
# Usage: examples/nightly/run.sh [DIR] with `job-manager` on the path; UNITS, RATE and QUOTA_AT change the size of it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
units=${UNITS:-1000} rate=${RATE:-600/min}
export QUOTA_AT=${QUOTA_AT:-300} POISON=${POISON:-500} JOB_MANAGER=${JOB_MANAGER:-job-manager}
mkdir -p "${1:-nightly}" && cd "${1:-nightly}"
export JOB_MANAGER_DB=$PWD/jobs.db

seq "$units" | sed 's/.*/{"id": &, "question": "what is & squared?"}/' >questions.jsonl

# What the last unit does: the counts are in its environment, the answers in the database.
report='
    "$JOB_MANAGER" results --format jsonl "$JOB_MANAGER_JOB" >answers.jsonl
    echo "$JOB_MANAGER_COMPLETED of $JOB_MANAGER_TOTAL answered, $JOB_MANAGER_FAILED failed" >report.txt'

echo "== the first three"
"$JOB_MANAGER" run -q --name nightly -j 4 --rate "$rate" --canary 3 \
    --exit 79=pause:2s,65=fail --retry-on 75 --backoff 1s..5s --max-failures 5% \
    --env QUOTA_AT --env POISON --env JOB_MANAGER --then "$report" --then-when always \
    --jsonl questions.jsonl -- "$here/ask.sh" '{id}' '{question}' && status=0 || status=$?
test "$status" = 12 # it waits for an approval
"$JOB_MANAGER" results nightly | head -n 3

echo "== approved"
"$JOB_MANAGER" approve nightly >manager.pid
"$JOB_MANAGER" wait nightly && status=0 || status=$?
test "$status" = 10 # some question was not answered
"$JOB_MANAGER" status nightly
cat report.txt
"$JOB_MANAGER" units nightly --failed
