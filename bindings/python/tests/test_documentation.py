"""Every public name has a docstring, which is the same in `help()` and in editors."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import pathlib
import types
from typing import TYPE_CHECKING

import pytest

import justcall_auth
from justcall_auth import _native

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = pathlib.Path(justcall_auth.__file__).parent


def documented() -> Iterator[tuple[str, str]]:
    """Yields the names of the stub that have a docstring, with the docstring."""

    def visit(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, str]]:
        for node in body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                text = ast.get_docstring(node)
                if text is not None:
                    yield prefix + node.name, text
                if isinstance(node, ast.ClassDef):
                    yield from visit(node.body, f"{node.name}.")

    tree = ast.parse((PACKAGE / "_native.pyi").read_text(encoding="utf-8"))
    return visit(tree.body, "")


STUB = dict(documented())


@pytest.mark.parametrize("name", STUB)
def test_the_docstrings_of_the_stub_equal_those_of_help(name: str) -> None:
    thing: object = _native
    for part in name.split("."):
        thing = getattr(thing, part)
    assert inspect.cleandoc(getattr(thing, "__doc__", None) or "") == STUB[name]


def test_every_public_name_is_documented() -> None:
    assert justcall_auth.__doc__
    for name in justcall_auth.__all__:
        thing = getattr(justcall_auth, name)
        if name == "__version__":
            continue
        assert inspect.getdoc(thing), name
        functions = {"classify", "diagnose", "diagnose_environment"}
        assert thing.__module__ == "justcall_auth" or name in functions, name
        for member, value in vars(thing).items() if inspect.isclass(thing) else ():
            if not member.startswith("_") and thing.__module__ == "justcall_auth" and callable(value):
                assert getattr(value, "__doc__", None), f"{name}.{member}"
    for name in ("Cancel", "Client", "Credentials", "Exchange", "WebhookEvent", "WebhookVerifier"):
        members = {member for member in vars(getattr(justcall_auth, name)) if not member.startswith("_")}
        assert {f"{name}.{member}" for member in members} <= STUB.keys()


def test_it_exports_the_names_in_all_and_no_others() -> None:
    # A submodule is an attribute if another test imported it.
    public = {
        name
        for name in dir(justcall_auth)
        if not name.startswith("_") and not isinstance(getattr(justcall_auth, name), types.ModuleType)
    }
    assert public | {"__version__"} == {*justcall_auth.__all__}
    assert list(justcall_auth.__all__) == sorted(
        justcall_auth.__all__, key=lambda name: (name != name.upper(), name)
    )


def test_it_has_the_version_of_its_distribution() -> None:
    assert justcall_auth.__version__ == importlib.metadata.version("justcall-auth")


def test_it_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()
