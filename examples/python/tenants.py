"""Makes calls for many tenants, whose pairs are in SQLite: tenants.py DATABASE [BASE_URL CA_FILE [THREADS]].

The table is `pairs(tenant INTEGER PRIMARY KEY, api_key TEXT, api_secret TEXT)`. A reset updates its row.
"""

from __future__ import annotations

import functools
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import justcall_auth


class Pairs:
    """The pairs of all tenants. Each thread has its own connection to the database."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._of_thread = threading.local()

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._of_thread, "connection"):
            self._of_thread.connection = sqlite3.connect(self._database)
        connection: sqlite3.Connection = self._of_thread.connection
        return connection

    def tenants(self) -> list[int]:
        """Returns all tenants."""
        rows = self._connection().execute("SELECT tenant FROM pairs ORDER BY tenant")
        return [tenant for (tenant,) in rows]

    def of(self, tenant: int) -> justcall_auth.Credentials:
        """Returns the pair of a tenant. The library calls this again after the service rejected a pair."""
        query = "SELECT api_key, api_secret FROM pairs WHERE tenant = ?"
        row = self._connection().execute(query, (tenant,)).fetchone()
        if row is None:
            raise LookupError(f"tenant {tenant} has no pair")
        return justcall_auth.Credentials(*row)


class Tenants:
    """A client for each tenant. The clients share their connections, but no pairs."""

    def __init__(self, pairs: Pairs, base_url: str | None = None, ca_file: str | None = None) -> None:
        self._pairs, self._base_url, self._ca_file = pairs, base_url, ca_file
        self._clients: dict[int, justcall_auth.Client] = {}
        self._making = threading.Lock()

    def client(self, tenant: int) -> justcall_auth.Client:
        """Returns the client of a tenant, which is made at its first use."""
        with self._making:
            if tenant not in self._clients:
                # The tenant is part of the source, so a pair cannot reach another client.
                source = functools.partial(self._pairs.of, tenant)
                self._clients[tenant] = justcall_auth.Client(
                    source, base_url=self._base_url, ca_file=self._ca_file, rotation_wait=20
                )
            return self._clients[tenant]

    def forget(self, tenant: int) -> None:
        """Drops the client of a tenant. Calls that use it continue."""
        with self._making:
            self._clients.pop(tenant, None)


def main(database: str, base_url: str | None = None, ca_file: str | None = None, threads: str = "64") -> None:
    """Makes one call for each tenant."""
    pairs = Pairs(database)
    tenants = Tenants(pairs, base_url, ca_file)

    def count(tenant: int) -> int:
        return len(tenants.client(tenant).get("/v2.1/calls?per_page=5").json()["data"])

    with ThreadPoolExecutor(int(threads)) as pool:
        numbers = pairs.tenants()
        for tenant, calls in zip(numbers, pool.map(count, numbers)):
            print(f"tenant {tenant}: {calls} calls", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
