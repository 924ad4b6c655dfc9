#!/bin/sh
# One unit: has an agent do a task. What the agent says is one JSON document, which becomes the unit's result. Arguments: the number of
# the task and its prompt.
set -eu
id=$1 prompt=$2

said=$("$AGENT" -p "$prompt. Write the answer into answers/$id.txt" --output-format json) && status=0 || status=$?

case $said in
    *"limit"*"resets "*)
        # "session limit · resets 8pm (America/New_York)": nobody needs to ask before that.
        time=$(printf '%s' "$said" | sed -n 's/.*resets \([0-9:]*[ap]m\) (\([A-Za-z_/+-]*\)).*/\1/p')
        zone=$(printf '%s' "$said" | sed -n 's/.*resets \([0-9:]*[ap]m\) (\([A-Za-z_/+-]*\)).*/\2/p')
        test -n "$time" || { echo "cannot read when the limit ends: $said" >&2 && exit 76; }
        until=$(TZ=$zone date -d "$time" +%s)
        # A time of day that is over is tomorrow's.
        test "$until" -ge "$(($(date +%s) - 60))" || until=$(TZ=$zone date -d "tomorrow $time" +%s)
        exec "$JOB_MANAGER" unit-later --until "$(date -u -d "@$until" +%FT%TZ)" --hold job --reason "session limit"
        ;;
    *overloaded*) echo "the model is overloaded" >&2 && exit 76 ;;
    *'"is_error":true'* | '') echo "the agent failed: $said" >&2 && exit 1 ;;
esac
printf '%s\n' "$said"
exit "$status"
