#!/bin/sh
# setup.sh SOURCE [OPTION]… < PAIR: stores a first pair and prints the Python that uses it.
set -eu
source=$1
shift
# [snippet]
# Reads the pair from a pipe: there is no prompt, and the secret is in no argument.
cat | justcall-auth setup --source "$source" --language python "$@"
# [/snippet]
