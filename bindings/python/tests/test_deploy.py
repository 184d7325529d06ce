"""The examples of deployments: their form, and the program with the files that each platform gives it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]

from support import ROOT, Account, end_family, put, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support import Sandbox

DEPLOY = ROOT / "examples/deploy"


def lint(*files: Path) -> subprocess.CompletedProcess[str]:
    """Runs yamllint with its strict defaults, and longer lines."""
    rules = "{extends: default, rules: {line-length: {max: 120}, octal-values: disable}}"
    command = [sys.executable, "-m", "yamllint", "--strict", "-d", rules, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_yaml_has_no_fault_of_form(tmp_path: Path) -> None:
    files = sorted(DEPLOY.rglob("*.yaml"))
    assert len(files) == 3
    done = lint(*files)
    assert (done.returncode, done.stdout) == (0, "")
    # The positive control.
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(files[0].read_text().replace("services:", "services:\nservices:"))
    assert lint(wrong).returncode == 1


def loaded(path: str) -> Any:
    return yaml.safe_load((DEPLOY / path).read_text(encoding="utf-8"))


def test_the_deployment_mounts_the_folder_that_its_source_names() -> None:
    spec = loaded("kubernetes/deployment.yaml")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    (mount,) = container["volumeMounts"]
    assert container["env"] == [{"name": "JUSTCALL_CREDENTIALS", "value": f"dir:{mount['mountPath']}"}]
    assert "subPath" not in mount
    assert [volume["name"] for volume in spec["volumes"]] == [mount["name"]]


def test_the_secret_of_compose_has_the_name_that_the_default_source_reads() -> None:
    composed = loaded("compose/compose.yaml")
    assert composed["services"]["app"]["secrets"] == list(composed["secrets"]) == ["justcall"]


def started(
    sandbox: Sandbox, source: str, wrapper: tuple[str, ...] = (), **variables: str
) -> subprocess.Popen[str]:
    """Starts the program of the deployments, by the command `wrapper` if there is one."""
    environment = {
        "JUSTCALL_CREDENTIALS": source,
        "JUSTCALL_BASE_URL": sandbox.url,
        "JUSTCALL_CA_FILE": sandbox.ca_file,
        "PAUSE": "0.01",
        **variables,
    }
    return subprocess.Popen(
        [*wrapper, sys.executable, str(DEPLOY / "app.py")],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kubernetes(folder: Path, account: Account) -> None:
    """Replaces the files as a kubelet does: they are links into a folder, which a link names."""
    version = folder / f"..{account.pair['api_secret'][:8]}"
    version.mkdir()
    for name in ("api_key", "api_secret"):
        (version / name).write_text(account.pair[name])
        if not (folder / name).exists():
            (folder / name).symlink_to(f"..data/{name}")
    new = folder / "..data_tmp"
    new.symlink_to(version.name)
    new.rename(folder / "..data")


def line(folder: Path, account: Account) -> None:
    """Writes one line in place, as for compose."""
    (folder / "pair").write_text(account.line)


def renamed(folder: Path, account: Account) -> None:
    """Replaces the file, as the agent does."""
    put(folder / "pair", account.line)


@pytest.mark.parametrize(
    ("store", "source"),
    [(kubernetes, "dir:{}"), (line, "file:{}/pair"), (renamed, "file:{}/pair")],
    ids=["kubernetes", "compose", "agent"],
)
def test_a_reset_fails_no_call_of_the_program(
    sandbox: Sandbox, tmp_path: Path, store: Callable[[Path, Account], None], source: str
) -> None:
    account = Account(sandbox)
    store(tmp_path, account)
    with started(sandbox, source.format(tmp_path)) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "200 generation 1\n"
            account.reset()
            wait_until(lambda: any(request["status"] == 401 for request in sandbox.requests()))
            store(tmp_path, account)
            lines = iter(child.stdout.readline, "")
            assert next(text for text in lines if "generation 1" not in text) == "200 generation 2\n"
            assert child.poll() is None
        finally:
            end_family(child)


def test_the_program_reads_the_credentials_of_systemd(sandbox: Sandbox, tmp_path: Path) -> None:
    account = Account(sandbox)
    for name in ("api_key", "api_secret"):
        (tmp_path / name).write_text(account.pair[name])
    unit = (DEPLOY / "systemd/justcall-app.service").read_text()
    assert "LoadCredential=api_key:" in unit
    assert "LoadCredential=api_secret:" in unit
    assert "Environment=JUSTCALL_CREDENTIALS=systemd:\n" in unit
    with started(sandbox, "systemd:", CREDENTIALS_DIRECTORY=str(tmp_path)) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "200 generation 1\n"
        finally:
            end_family(child)


class Unit:
    """A service in a mount namespace, with a credentials directory as systemd makes it."""

    WAITS = 'while ! [ -e $0/api_key ]; do sleep 0.01; done; exec "$@"'
    WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")

    def __init__(self, sandbox: Sandbox, folder: Path, account: Account, **variables: str) -> None:
        self._origin, self._account = folder / "pair", account
        self._place = folder / "credentials"
        self._place.mkdir()
        wrapper = ("unshare", "--mount", "sh", "-c", self.WAITS, str(self._place), *self.WITHOUT_RIGHTS)
        self.child = started(
            sandbox, "systemd:", wrapper, CREDENTIALS_DIRECTORY=str(self._place), **variables
        )
        own = os.readlink("/proc/self/ns/mnt")
        wait_until(lambda: os.readlink(f"/proc/{self.child.pid}/ns/mnt") != own)
        self.write()
        self.mount("new")

    def write(self) -> None:
        """Writes the pair to the file that the unit names."""
        self._origin.write_text(self._account.line)

    def mount(self, how: str) -> None:
        """Makes a new directory with the pair of that file."""
        command = ["nsenter", f"--mount=/proc/{self.child.pid}/ns/mnt", sys.executable]
        script = Path(__file__).parent / "credentials_directory.py"
        subprocess.run([*command, str(script), str(self._place), str(self._origin), how], check=True)

    def generations(self) -> Iterator[str]:
        """Returns the lines of the program. Fails if it has rights that a service lacks."""
        assert self.child.stdout is not None
        lines = iter(self.child.stdout.readline, "")
        yield next(lines)
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        assert "CapEff:\t0000000000000000\n" in status
        yield from lines


# systemd 260 mounts the new directory beneath the old one, or above it if the kernel is older than 6.5.
@pytest.mark.parametrize("how", ["beneath", "over"])
def test_a_reload_that_replaces_the_credentials_fails_no_call(
    sandbox: Sandbox, tmp_path: Path, how: str
) -> None:
    account = Account(sandbox)
    unit = Unit(sandbox, tmp_path, account)
    with unit.child:
        try:
            lines = unit.generations()
            assert next(lines) == "200 generation 1\n"
            for generation in (2, 3):
                account.reset()
                wait_until(lambda: any(request["status"] == 401 for request in sandbox.requests()))
                unit.write()
                unit.mount(how)
                former = f"200 generation {generation - 1}\n"
                assert next(text for text in lines if text != former) == f"200 generation {generation}\n"
                assert unit.child.poll() is None
                sandbox.control("DELETE", "requests")
        finally:
            end_family(unit.child)


def test_a_reload_of_an_older_systemd_leaves_the_old_pair_in_place(sandbox: Sandbox, tmp_path: Path) -> None:
    account = Account(sandbox)
    unit = Unit(sandbox, tmp_path, account, JUSTCALL_ROTATION_WAIT="1")
    with unit.child:
        try:
            assert next(unit.generations()) == "200 generation 1\n"
            account.reset()
            unit.write()
            _, failure = unit.child.communicate(timeout=60)
            assert unit.child.returncode == 1
            assert "InvalidCredentials" in failure
        finally:
            end_family(unit.child)
