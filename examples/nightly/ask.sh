#!/bin/sh
# Asks a model one question; here a stand-in for the model, with a quota, a question that it never answers, and one in
# a hundred that takes two calls. Arguments: the question's number and its text.
set -eu
id=$1 question=$2

# The quota is used up once in the night: nobody needs to ask before it is refilled.
if [ "$id" = "$QUOTA_AT" ] && mkdir quota-used-up 2>/dev/null; then
    echo "quota exceeded, refilled in 2 s" >&2
    exit 79
fi
if [ "$id" = "$POISON" ]; then
    echo "the model refuses to answer: $question" >&2
    exit 65
fi

if [ $((id % 100)) = 0 ]; then
    # What the first call said is kept, so that the second one need not repeat it.
    if ! first=$("$JOB_MANAGER" unit-checkpoint get 2>/dev/null); then
        "$JOB_MANAGER" unit-progress 1 2 "asked once"
        "$JOB_MANAGER" unit-checkpoint put "half an answer to $id"
        exit 75
    fi
    "$JOB_MANAGER" unit-progress 2 2 "asked twice"
    "$JOB_MANAGER" unit-result "{\"answer\": \"$first, and the other half\", \"tokens\": 2}"
else
    "$JOB_MANAGER" unit-result "{\"answer\": \"an answer to $id\", \"tokens\": 1}"
fi
