"""The examples of deployments with the tools of their platforms, as far as these run here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from support import Account, end_family, wait_until
from test_deploy import DEPLOY, started

if TYPE_CHECKING:
    from support import Sandbox

BAO = str(Path(sys.executable).with_name("bao"))
"""OpenBao's command, whose agent is that of Vault."""


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = DEPLOY / "systemd/justcall-app.service"
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (done.returncode, "justcall-app" in done.stderr) == (0, False), done.stderr
    # The positive control.
    wrong = tmp_path / "wrong.service"
    wrong.write_text(unit.read_text().replace("LimitCORE=", "LimitCOER="))
    done = subprocess.run(["systemd-analyze", "verify", wrong], capture_output=True, text=True)
    assert "LimitCOER" in done.stderr


def test_systemd_accepts_the_setting_that_replaces_the_credentials(tmp_path: Path) -> None:
    version = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True).stdout
    is_known = int(version.split()[1]) >= 260
    unit = tmp_path / "justcall-app.service"
    unit.write_text((DEPLOY / "systemd/justcall-app.service").read_text())
    settings = tmp_path / "justcall-app.service.d"
    settings.mkdir()
    (settings / "refresh.conf").write_text((DEPLOY / "systemd/refresh.conf").read_text())
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # An older version ignores it, as the guide says, and reports that.
    faults = [line for line in done.stderr.splitlines() if "justcall-app" in line]
    assert ["RefreshOnReload" in line for line in faults] == [True] * (not is_known), done.stderr


def test_the_agent_writes_the_pair_and_a_reset_fails_no_call(sandbox: Sandbox, tmp_path: Path) -> None:
    port, token = 18200 + os.getpid() % 1000, "root-of-the-test"
    address = f"http://127.0.0.1:{port}"
    listen = [f"-dev-listen-address=127.0.0.1:{port}", f"-dev-root-token-id={token}", "-dev-no-store-token"]
    quiet = {"stdin": subprocess.DEVNULL, "start_new_session": True, "text": True}
    environment = {**os.environ, "HOME": str(tmp_path), "BAO_ADDR": address, "VAULT_ADDR": address}
    log = (tmp_path / "log").open("w")
    server = subprocess.Popen(
        [BAO, "server", "-dev", *listen], env=environment, stdout=log, stderr=log, **quiet
    )  # type: ignore[call-overload]
    agent = child = None
    account = Account(sandbox)

    def store() -> None:
        members = {name: account.pair[name] for name in ("api_key", "api_secret")}
        request = urllib.request.Request(
            f"{address}/v1/secret/data/justcall",
            data=json.dumps({"data": members}).encode(),
            headers={"X-Vault-Token": token},
            method="POST",
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10):
            pass

    def is_stored() -> bool:
        try:
            store()
        except OSError:
            return False
        return True

    try:
        wait_until(is_stored, 60)
        (tmp_path / "token").write_text(token)
        configuration = (DEPLOY / "vault-agent/agent.hcl").read_text()
        for there, here in (
            ("/run/justcall-agent/token", str(tmp_path / "token")),
            ("/run/justcall/pair", str(tmp_path / "pair")),
            ('"10s"', '"1s"'),
        ):
            assert there in configuration
            configuration = configuration.replace(there, here)
        (tmp_path / "agent.hcl").write_text(configuration)
        agent = subprocess.Popen(
            [BAO, "agent", "-config", str(tmp_path / "agent.hcl")],
            env=environment,
            stdout=log,
            stderr=log,
            **quiet,
        )  # type: ignore[call-overload]
        wait_until((tmp_path / "pair").exists, 60)
        child = started(sandbox, f"file:{tmp_path / 'pair'}")
        assert child.stdout is not None
        assert child.stdout.readline() == "200 generation 1\n"
        account.reset()
        wait_until(lambda: any(request["status"] == 401 for request in sandbox.requests()))
        store()
        lines = iter(child.stdout.readline, "")
        assert next(text for text in lines if "generation 1" not in text) == "200 generation 2\n"
    except BaseException:
        print((tmp_path / "log").read_text()[-3000:])
        raise
    finally:
        for process in (child, agent, server):
            if process is not None:
                end_family(process)
                process.communicate()
        log.close()
