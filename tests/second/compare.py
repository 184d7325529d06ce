"""Compares the product with the second implementation on random cases.

compare.py PROGRAM [--cases NUMBER] [--seed NUMBER] prints a row for each part with the number of its cases
and of each result. A difference ends the run with status 1 and prints the case, both answers, and the
command that repeats it. compare.py PROGRAM --plants plants each bug of `plants.py`, which must be found.
"""

from __future__ import annotations

import argparse
import collections
import json
import multiprocessing
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cases
import plants
import second

Case = dict[str, Any]
Counts = dict[str, collections.Counter[str]]

BATCH = 500
WEIGHTS = {"header": 5, "pair": 6, "response": 5, "webhook": 2, "exchange": 2}
"""How many of 20 cases belong to each part."""


class Product:
    """The program that answers cases with the product."""

    def __init__(self, program: str) -> None:
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def write(self, lines: bytes) -> None:
        """Sends lines to the program."""
        assert self.process.stdin is not None
        self.process.stdin.write(lines)
        self.process.stdin.flush()

    def answers(self, batch: list[Case]) -> list[Case]:
        """Returns the answers to a batch, in its order."""
        assert self.process.stdout is not None
        lines = b"".join(json.dumps(case).encode() + b"\n" for case in [*batch, {}])
        # The pipes hold less than a batch, so the program must be able to answer meanwhile.
        writer = threading.Thread(target=self.write, args=(lines,))
        writer.start()
        answers = [json.loads(self.process.stdout.readline() or b"null") for _ in [*batch, {}]]
        writer.join()
        if None in answers:
            raise RuntimeError("the program ended")
        return answers[:-1]


def case_of(seed: int, index: int, parts: list[str]) -> Case:
    """Returns a case of a seed."""
    source = random.Random(f"{seed} {index}")
    part = source.choices(parts, [WEIGHTS[part] for part in parts])[0]
    return {"part": part, **cases.PARTS[part](source)}


def expected(case: Case, answer: Case) -> Case:
    """Returns the answer of the second implementation."""
    part = case["part"]
    found: Case = second.exchange(case, answer) if part == "exchange" else getattr(second, part)(case)
    return found


def result_of(case: Case, answer: Case) -> list[str]:
    """Returns the results in an answer, to count how often each occurred."""
    if case["part"] == "exchange":
        return [str(call["error"] or "done") for call in answer["calls"]]
    return [str(answer.get("error") or answer.get("reason") or "good")]


class Comparison:
    """The comparison of one process. `--jobs` processes share the cases."""

    here: Comparison

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.product = options, Product(options.program)
        if options.plant:
            plants.PLANTS[options.plant]()

    def batch(self, first: int) -> tuple[Counts, str | None]:
        """Compares a batch. Returns the counts, and the first difference."""
        seed, parts = self.options.seed, self.options.part or list(WEIGHTS)
        last = min(first + BATCH, self.options.first + self.options.cases)
        batch = [case_of(seed, index, parts) for index in range(first, last)]
        counts: Counts = {part: collections.Counter() for part in WEIGHTS}
        for index, (case, answer) in enumerate(zip(batch, self.product.answers(batch)), first):
            counts[case["part"]].update(result_of(case, answer))
            counts[case["part"]]["cases"] += 1
            found = expected(case, answer)
            if found != answer:
                parts_option = "".join(f" --part {part}" for part in self.options.part or [])
                return counts, (
                    f"{json.dumps(case, indent=1)}\nproduct: {answer}\nsecond:  {found}\n"
                    f"case {index}, part {case['part']}; repeat it with: "
                    f"--seed {seed} --first {index} --cases 1{parts_option}"
                )
        return counts, None


def begin(options: argparse.Namespace) -> None:
    """Begins the comparison of this process."""
    Comparison.here = Comparison(options)


def batch(first: int) -> tuple[Counts, str | None]:
    """Compares a batch in this process."""
    return Comparison.here.batch(first)


def compare(options: argparse.Namespace) -> int:
    """Compares all cases, and prints the counts."""
    total: Counts = {part: collections.Counter() for part in WEIGHTS}
    starts = range(options.first, options.first + options.cases, BATCH)
    with multiprocessing.Pool(options.jobs, begin, (options,)) as pool:
        for counts, difference in pool.imap(batch, starts):
            for part, results in counts.items():
                total[part].update(results)
            if difference is not None:
                print(difference)
                return 1
    for part, results in total.items():
        if number := results.pop("cases", 0):
            listed = ", ".join(f"{name} {count}" for name, count in sorted(results.items()))
            print(f"| {part} | {number} | {listed} |")
    return 0


def plant_all(options: argparse.Namespace) -> int:
    """Plants each bug, and prints whether the comparison finds it."""
    faults = 0
    for name in plants.PLANTS:
        command = [sys.executable, str(Path(__file__)), options.program, "--plant", name]
        command += ["--cases", str(options.cases), "--seed", str(options.seed), "--part", name.split("-")[0]]
        run = subprocess.run(command, capture_output=True, text=True)
        # The number of the case is in the last line.
        line = next((line for line in run.stdout.splitlines() if line.startswith("case ")), None)
        is_found = run.returncode == 1 and line is not None
        faults += not is_found
        print(f"| {name} | {line.split(',')[0] if line and is_found else 'not found'} |")
    return 1 if faults else 0


def main() -> int:
    """Runs what the arguments name."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--part", choices=list(WEIGHTS), action="append")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--plant", choices=list(plants.PLANTS))
    parser.add_argument("--plants", action="store_true")
    options = parser.parse_args()
    return plant_all(options) if options.plants else compare(options)


if __name__ == "__main__":
    sys.exit(main())
