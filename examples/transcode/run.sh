#!/bin/sh
# Makes small copies of films, at night only, while the disk has room. A copy is absent or whole: what an encoder that failed, hung or was
# killed has written of it is never taken for a film.
#
# Usage: ENCODER=ffmpeg examples/transcode/run.sh FILMS [DIR], with `job-manager` on the path. Each .mov of the directory FILMS becomes an
# .mp4 in DIR/small. Call it again for films that came since. Without ENCODER a stand-in for one is called.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
films=$(realpath "$1")
encoder=${ENCODER:-$here/fake-ffmpeg.sh} JOB_MANAGER=${JOB_MANAGER:-job-manager}
mkdir -p "${2:-films}/small" && cd "${2:-films}"
export JOB_MANAGER_DB=$PWD/jobs.db

exec "$JOB_MANAGER" run --name films -j "${WORKERS:-2}" \
    --window "${WINDOW:-22:00-06:00}" --diskfree ".=${SPARE:-20G}" \
    --timeout 4h --idle-timeout "${SILENT:-5m}" --max-attempts 3 --backoff "${BACKOFF:-10s..5m}" \
    --creates 'small/{/.}.mp4' --glob "$films/*.mov" -- \
    "$encoder" -nostdin -y -stats -i '{}' '{out}'
