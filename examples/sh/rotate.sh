#!/bin/sh
# rotate.sh SOURCE ACCOUNT PAIR_FILE [OPTION]…: replaces a pair that was reset with the new one.
set -u
source=$1 account=$2 pair=$3
shift 3
# [snippet]
justcall-auth rotate --source "$source" --expected-account "$account" "$@" <"$pair"
case $? in
0) rm "$pair" ;;
3) echo 'copy both halves again: the secret is shown only once' ;;
4) echo 'the service rejects it: was it revoked, or reset again?' ;;
6 | 7 | 8) echo 'try again: nothing was changed' ;;
*) echo 'nothing was changed; the message gives the reason' ;;
esac
# [/snippet]
