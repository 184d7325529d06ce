"""Calls at a fixed rate on several threads, and prints every call: see src/worker.rs."""

import logging
import sys
import threading
import time

import justcall_auth

EVENTS = [
    "rotated",
    "candidate_rejected",
    "pair_rejected",
    "waiting_for_source",
    "retrying",
    "rate_limit_low",
    "source_changed",
    "rotation_due",
]


def main() -> None:
    url, ca_file, source, tag = sys.argv[1:5]
    threads, calls, every, wait = (int(argument) for argument in sys.argv[5:9])
    events: list[tuple[int, int, int]] = []

    def record_event(event: justcall_auth.Event) -> None:
        if event.name in EVENTS:
            events.append((time.monotonic_ns(), EVENTS.index(event.name) + 1, event.generation))

    # Events are printed at the end, so the module must not log them.
    logging.getLogger("justcall_auth").addHandler(logging.NullHandler())
    client = justcall_auth.Client(
        source, base_url=url, ca_file=ca_file, rotation_wait=wait / 1000, on_event=record_event
    )
    done: list[list[tuple[int, int, int]]] = [[] for _ in range(threads)]
    print("ready", flush=True)
    if not sys.stdin.read(1):
        sys.exit(1)
    first = time.monotonic_ns()

    def run(index: int) -> None:
        for number in range(calls):
            at = first + every * number + every * index // threads
            time.sleep(max(0, at - time.monotonic_ns()) / 1e9)
            began = time.monotonic_ns()
            status = 0
            try:
                client.get("/v2.1/calls", headers={"x-process": tag})
            except justcall_auth.JustCallError as error:
                status = error.code
            done[index].append((began, time.monotonic_ns(), status))

    callers = [threading.Thread(target=run, args=(index,)) for index in range(threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for records in done:
        for record in records:
            print("call", *record)
    for event in events:
        print("event", *event)


main()
