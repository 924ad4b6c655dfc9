#!/bin/sh
# Stands for an encoder: takes `… -i FILM COPY`, says how far it is, and writes the copy in two halves. At its first call for the film HANGS
# it says nothing more after the first half, for the film FAILS it ends after that, and for the film WAITS it goes on only when there is a
# file go-on.
set -eu
while test "$1" != -i; do shift; done
film=$2 copy=$3 name=$(basename "$2" .mov)
first() { test "$name" = "${1:-}" && mkdir "first-$name" 2>/dev/null; }

echo "$name" >>calls.log
echo "frame=    1" >&2
echo "first half of $(cat "$film")" >"$copy"
if first "${HANGS:-}"; then exec sleep 1000; fi
if first "${FAILS:-}"; then echo "conversion failed" >&2 && exit 1; fi
if test "$name" = "${WAITS:-}"; then
    while test ! -e go-on; do echo "frame=    1" >&2 && sleep 0.1; done
fi
echo "second half" >>"$copy"
echo "frame=    2" >&2
