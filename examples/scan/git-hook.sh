#!/bin/sh
# .git/hooks/pre-commit: refuses a commit that adds a pair. It looks at what is staged, not at the files.
set -eu
git diff --cached --no-color --no-ext-diff --no-textconv | sed -n '/^+/p' | justcall-auth scan -
