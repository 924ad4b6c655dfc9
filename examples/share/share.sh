#!/bin/sh
# Does one share of a list of files on this machine: share K of N, as a job of its own, in a database on the local disk.
#
# Usage: share.sh K N LIST OUT. LIST has an absolute path per line, and OUT is a directory that all machines see; both are
# absolute. The same words again go on where it was; on another machine, what is in OUT already is not made again. TERM
# stops it: units have GRACE (40s) to end, and those that need longer go back. STATE is where the database lies, WORKERS
# how many units run at a time. Exit code: that of `job-manager wait`, so 0, 10 (units failed) or 12 (stopped).
set -eu
k=$1 n=$2 list=$3
export OUT=$4
key=$(basename "$list")-$k-of-$n
state=${STATE:-/var/tmp/$(id -un)}/$key
test -r "$list" || { echo "share.sh: cannot read $list" >&2; exit 2; }
mkdir -p "$state" "$OUT"
export JOB_MANAGER_DB=$state/jobs.db

# TERM may come early, more than once, and to every process of this machine at once.
stopped=
trap 'trap "" TERM; stopped=yes; job-manager stop -q --job-key "$key" --grace "${GRACE:-40s}" --wait || test $? = 4' TERM

# A path gets its name when it is whole, because any machine takes it for done then. This command is what to replace.
# shellcheck disable=SC2016 # the shell of the unit expands it
split -n "r/$k/$n" "$list" | job-manager submit -q --allow-empty --job-key "$key" --name "$key" -j "${WORKERS:-100%}" \
    --creates "$OUT{}.sha256" --shell - -- '
        made="$OUT"{}.sha256 part="$OUT"{}.part-$(uname -n)-$$
        mkdir -p "$OUT"{//} && sha256sum {} >"$part" && mv "$part" "$made"' >/dev/null

# Goes on with a job that was stopped; with exit code 4 there is nothing to go on with.
if test -z "$stopped"; then
    said=$(job-manager resume -q --job-key "$key" 2>&1) || test $? = 4 || { echo "$said" >&2; exit 1; }
fi

job-manager wait -q --job-key "$key" >/dev/null &
wait $! && code=0 || code=$?
# It was a signal: how the job stands now is the answer.
test $code -lt 128 || { job-manager wait -q --job-key "$key" >/dev/null && code=0 || code=$?; }

job-manager results --job-key "$key" >"$OUT/$key.jsonl.part" && mv "$OUT/$key.jsonl.part" "$OUT/$key.jsonl"
if test $code = 0; then
    job-manager rm -q -y --job-key "$key" >/dev/null && rm -r "$state"
fi
exit $code
