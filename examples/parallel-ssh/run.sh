#!/bin/sh
# Shares of a list of files on several machines, placed by GNU parallel over ssh, one share on each at a time.
#
# Usage: run.sh SHARES HOST,HOST… SHARE LIST OUT. SHARE is the path of share.sh; it, LIST and OUT have the same paths on
# all machines. With more shares than machines the faster machines do more of them. A share whose machine does not answer
# goes to another one. Run again, it does what is not done yet.
set -eu
shares=$1 hosts=$2 share=$3 list=$4 out=$5
seq "$shares" | parallel --sshlogin "$hosts" --jobs 1 --retries 3 --halt never \
    sh "$share" {} "$shares" "$list" "$out"
