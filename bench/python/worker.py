"""One Python peer of `cargo xtask bench`. bench/c/worker.h describes the commands.

worker.py PEER URL CA_FILE [once]
"""

# Imports count as start-up time, so only cheap ones stand here: importing `statistics` takes 15 ms, and `json` 6 ms.
import os
import resource
import sys
import time

HEADERS = {
    "Authorization": f"{os.environ['JUSTCALL_API_KEY']}:{os.environ['JUSTCALL_API_SECRET']}",
    "Accept": "application/json",
    "Content-Type": "application/json",
}
HEAD, TAIL = b'{"justcall_number":"14155550100","body":"', b'"}'
BODY = HEAD + b"x" * (1024 - len(HEAD) - len(TAIL)) + TAIL
TIMEOUT = 30.0


class Ours:
    """One reused client; the default timeout (30 s); status and JSON checked; the account read."""

    def __init__(self, url, ca_file):
        import justcall_auth

        self.version = justcall_auth.__version__
        self.client = justcall_auth.Client("env:", base_url=url, ca_file=ca_file)
        if not hasattr(self.client, "post"):
            self.post = None

    def verify(self):
        return self.client.verify().id

    def post(self):
        return self.client.post("/v2/texts", data=BODY).json()["data"]["id"]


class Requests:
    """One reused Session; a timeout; the CA file as `verify`; raise_for_status; json."""

    def __init__(self, url, ca_file):
        import requests

        self.version = requests.__version__
        self.url = url
        self.session = requests.Session()
        self.session.headers.update(HEADERS)
        self.session.verify = ca_file

    def verify(self):
        response = self.session.get(self.url + "/v2/account", timeout=TIMEOUT)
        response.raise_for_status()
        return response.json()["data"]["account_id"]

    def post(self):
        response = self.session.post(self.url + "/v2/texts", data=BODY, timeout=TIMEOUT)
        response.raise_for_status()
        return response.json()["data"]["id"]


class Httpx:
    """One reused Client; a timeout; a TLS context with the CA file; raise_for_status; json."""

    def __init__(self, url, ca_file):
        import ssl

        import httpx

        self.version = httpx.__version__
        context = ssl.create_default_context(cafile=ca_file)
        self.client = httpx.Client(base_url=url, headers=HEADERS, timeout=TIMEOUT, verify=context)

    def verify(self):
        return self.client.get("/v2/account").raise_for_status().json()["data"]["account_id"]

    def post(self):
        response = self.client.post("/v2/texts", content=BODY)
        return response.raise_for_status().json()["data"]["id"]


class Pycurl:
    """One reused Curl handle; a timeout; the CA file; the status checked; json."""

    def __init__(self, url, ca_file):
        import io
        import json

        import pycurl

        self.version = pycurl.version
        self.pycurl, self.buffer, self.loads, self.url = pycurl, io.BytesIO, json.loads, url
        self.curl = curl = pycurl.Curl()
        curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in HEADERS.items()])
        curl.setopt(pycurl.CAINFO, ca_file)
        curl.setopt(pycurl.TIMEOUT_MS, int(TIMEOUT * 1000))
        curl.setopt(pycurl.NOSIGNAL, 1)

    def perform(self, path):
        buffer = self.buffer()
        self.curl.setopt(self.pycurl.URL, self.url + path)
        self.curl.setopt(self.pycurl.WRITEDATA, buffer)
        self.curl.perform()
        status = self.curl.getinfo(self.pycurl.RESPONSE_CODE)
        if status != 200:
            raise RuntimeError(f"HTTP {status}")
        return self.loads(buffer.getvalue())["data"]

    def verify(self):
        self.curl.setopt(self.pycurl.HTTPGET, 1)
        return self.perform("/v2/account")["account_id"]

    def post(self):
        self.curl.setopt(self.pycurl.POST, 1)
        self.curl.setopt(self.pycurl.POSTFIELDS, BODY)
        return self.perform("/v2/texts")["id"]


def cpu_ns():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int((usage.ru_utime + usage.ru_stime) * 1e9)


def measure(call, expected, count):
    """Calls `call` `count` times. Returns the median time, and the CPU time per call."""
    times = []
    clock = time.perf_counter_ns
    before = cpu_ns()
    for _ in range(count):
        begun = clock()
        result = call()
        times.append(clock() - begun)
        if result != expected:
            raise RuntimeError(f"expected {expected!r}, got {result!r}")
    return {"median_ns": sorted(times)[count // 2], "cpu_ns": (cpu_ns() - before) // count}


def main():
    name, url, ca_file = sys.argv[1:4]
    peer = {"ours": Ours, "requests": Requests, "httpx": Httpx, "pycurl": Pycurl}[name](url, ca_file)
    if peer.verify() != 12345:
        raise RuntimeError("the account has an unexpected id")
    if sys.argv[4:] == ["once"]:
        return
    import json

    print(json.dumps({"version": peer.version}), flush=True)
    for line in sys.stdin:
        job, count = line.split()
        call, expected = {"verify": (peer.verify, 12345), "post": (peer.post, 67890)}[job]
        figures = {"unsupported": True} if call is None else measure(call, expected, int(count))
        print(json.dumps(figures), flush=True)


main()
