#!/bin/sh
# Stands for an agent: takes `-p PROMPT --output-format json`, does the task, and says what that cost. At its first call for the task
# HANGS it hangs, for the task LIES it says that it is done and is not, for the task BUSY it is overloaded, and from the task LIMITED on
# it is limited for some seconds. Each call is a line of calls.log.
set -eu
prompt=$2
file=${prompt##* } && id=${file#answers/} && id=${id%.txt}
say() { printf '{"type":"result","is_error":%s,"result":"%s","total_cost_usd":%s}\n' "$1" "$2" "$3"; }
first() { test "$id" = "${1:-}" && mkdir "first-$id" 2>/dev/null; }

if test "$id" = "${LIMITED:-}" && mkdir limited 2>/dev/null; then
    date -d "+${LIMITED_FOR:-3} seconds" +%s >limited/until.new && mv limited/until.new limited/until
fi
if until=$(cat limited/until 2>/dev/null) && test "$(date +%s)" -lt "$until"; then
    echo "$id limited" >>calls.log
    say true "session limit · resets $(TZ=America/New_York date -d "@$until" +%-I:%M:%S%P) (America/New_York)" 0
    exit 1
fi
echo "$id" >>calls.log
if first "${HANGS:-}"; then sleep 1000; fi
if first "${LIES:-}"; then say false "I have written the file." 0.03 && exit; fi
if first "${BUSY:-}"; then say true overloaded 0 && exit 1; fi
echo "an answer to $prompt" >"$file"
say false "done" 0.02
