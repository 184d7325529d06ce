#!/bin/sh
# first.sh [OPTION]…: verifies the pair in the environment and makes a request with it.
set -eu
# [snippet]
justcall-auth verify "$@"
justcall-auth request GET /v2.1/calls --query per_page=5 "$@"
# [/snippet]
