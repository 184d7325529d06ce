"""Every public name has a docstring, which is the same in `help()` and in editors."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import pathlib
import types
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
import reference
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


def test_every_parameter_of_a_public_function_is_documented() -> None:
    checked = 0
    for _, _, entries in reference.everything():
        for entry in entries:
            assert reference.undocumented(entry) == []
            checked += len(entry.parameters) + sum(len(member.parameters) for member in entry.members)
    assert checked > 200, "this test reads nothing"


PLANTED = {
    "a.py": '''
__all__ = ["Planted", "documented", "planted", "uses"]

from b import uses

def documented(first, *others, last=1, **rest):
    """Text.

    Args:
        first: Text
            in two lines: with a colon.
        others: Text.

            - `last`: an item is not a parameter
        last: Text.
        rest: Text.

    Raises nothing.

    """

def planted(first, *others, last=1, **rest):
    """Text about first and last.

    Args:
        first: Text.

    """

class Planted:
    """Text.

    Args:
        one: Text.

    """

    two: int
    """Text."""

    three: int

    def __init__(self, one, two, three): ...

    def _private(self, four): ...

    def method(self, five):
        """Text."""

    @staticmethod
    def static(six):
        """Text."""

    @property
    def seven(self):
        """Text."""

    def __call__(self, eight):
        """Text."""
''',
    "b.py": '''
async def uses(nine):
    """Text."""
''',
}


def test_a_parameter_without_its_line_is_found(tmp_path: pathlib.Path) -> None:
    for name, text in PLANTED.items():
        (tmp_path / name).write_text(text)
    sources = reference.Sources(tmp_path)
    (tmp_path / "__init__.py").write_text("__all__ = []")
    found = {name: reference.undocumented(sources.entry("a", name)) for name in sources.exported("a")}
    assert found == {
        "documented": [],
        "planted": ["planted(last)", "planted(others)", "planted(rest)"],
        "Planted": [
            "Planted(three)",
            "Planted.method(five)",
            "Planted.static(six)",
            "Planted.__call__(eight)",
        ],
        "uses": ["uses(nine)"],
    }


def test_the_parameters_in_the_sources_are_those_at_run_time() -> None:
    _, _, entries = reference.everything()[0]
    functions = [
        one for entry in entries for one in [entry, *entry.members] if one.is_shown and one.parameters
    ]
    assert len(functions) > 40
    for function in functions:
        thing: Any = justcall_auth
        for part in function.name.split("."):
            thing = getattr(thing, part)
        names = [name for name in inspect.signature(thing).parameters if name not in ("self", "cls")]
        assert sorted(names) == sorted(function.parameters), function.name


def test_the_reference_is_what_the_docstrings_say(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference.main(["--check"])
    # The positive control.
    page = tmp_path / "python.md"
    page.write_text(reference.page().replace("### Client", "### Planted", 1), encoding="utf-8")
    monkeypatch.setattr(reference, "PAGE", page)
    with pytest.raises(SystemExit, match="is not up to date"):
        reference.main(["--check"])
    reference.main([])
    reference.main(["--check"])


def test_the_reference_has_every_public_name() -> None:
    text = reference.page()
    for name in justcall_auth.__all__:
        assert f"\n### {name}\n" in text
    assert "\n#### Client.request\n" in text


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
