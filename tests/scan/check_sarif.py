"""Checks a SARIF log on standard input against sarif-2.1.0.json, and checks that the schema refuses invalid logs.

The schema is that of SARIF 2.1.0 (OASIS), from the package @microsoft/jest-sarif 1.0.0-beta.0.
"""

import copy
import json
import pathlib
import sys

import jsonschema

schema = json.loads(pathlib.Path(__file__).with_name("sarif-2.1.0.json").read_text(encoding="utf-8"))
log = json.load(sys.stdin)
validator = jsonschema.Draft4Validator(schema)
validator.validate(log)


def broken():
    """Yields copies of the log, each with one error, and the path of the error."""
    for path, value in (
        (["version"], "2.0.0"),
        (["runs", 0, "tool"], {}),
        (["runs", 0, "results", 0, "message"], {}),
        (["runs", 0, "results", 0, "level"], "severe"),
        (["runs", 0, "results", 0, "locations", 0, "physicalLocation", "region", "startLine"], 0),
    ):
        other = copy.deepcopy(log)
        inner = other
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        yield path, other


for path, other in broken():
    if validator.is_valid(other):
        sys.exit(f"control: the schema accepts an invalid {path}")
