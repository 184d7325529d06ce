"""Writes docs/reference/python.md from the docstrings: python3 reference.py [--check].

It reads the sources and imports nothing, so it needs neither the native module nor other packages.
"""

from __future__ import annotations

import ast
import copy
import re
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parent
PAGE = FOLDER.parents[1] / "docs/reference/python.md"
PACKAGE = "justcall_auth"
MODULES = ["requests", "httpx", "httpx2", "aiohttp", "flask", "django", "starlette", "testing"]
"""The public modules of the package."""

PLUGIN = "justcall_auth_pytest"

WIDTH = 100

HEADER = f"""# Reference of the Python package

Written by `cargo xtask docs` from the docstrings: change these, not this file.
The [guide](../guide/python.md) explains how to use the package. `help({PACKAGE}.Client)` shows
the same texts.
"""

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]


@dataclass
class Entry:
    """A public name: a class, a function, a constant or a fixture."""

    name: str
    node: ast.AST
    text: str
    members: list[Entry] = field(default_factory=list)
    is_fixture: bool = False

    @property
    def function(self) -> Function | None:
        """The function whose parameters are those of the name: for a class, its constructor."""
        if isinstance(self.node, ast.ClassDef):
            made = (one for one in self.members if one.name.endswith((".__init__", ".__new__")))
            return next((one.function for one in made), None)
        return self.node if isinstance(self.node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None

    @property
    def is_attribute(self) -> bool:
        """Whether it is an attribute or a property of a class."""
        return self.function is None or "property" in decorators(self.function)

    @property
    def is_shown(self) -> bool:
        """Whether the member of a class has a section. `__call__` is how its objects are used."""
        last = self.name.rpartition(".")[2]
        return not last.startswith("_") or last == "__call__"

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters that a caller passes."""
        if self.function is None or self.is_fixture or self.is_attribute:
            return []
        arguments = self.function.args
        plain = [*arguments.posonlyargs, *arguments.args]
        if "." in self.name or isinstance(self.node, ast.ClassDef):
            plain = plain if "staticmethod" in decorators(self.function) else plain[1:]
        others = [*arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        return [one.arg for one in [*plain, *others] if one is not None]


class Sources:
    """The modules of a package, without those that are compiled: their stubs are read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._trees: dict[str, ast.Module] = {}

    def tree(self, module: str) -> ast.Module:
        """Returns the syntax tree of a module."""
        if module not in self._trees:
            stub = self._folder / f"{module}.pyi"
            path = stub if stub.is_file() else self._folder / f"{module}.py"
            self._trees[module] = ast.parse(path.read_text(encoding="utf-8"))
        return self._trees[module]

    def exported(self, module: str) -> list[str]:
        """Returns the names of `__all__`."""
        for node in self.tree(module).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return [str(name) for name in ast.literal_eval(node.value)]
        raise LookupError(f"{module} has no __all__")

    def entry(self, module: str, name: str) -> Entry:
        """Returns a name that the module defines or imports."""
        for node, text in statements(self.tree(module).body):
            if isinstance(node, ast.ImportFrom) and name in [one.asname or one.name for one in node.names]:
                return self.entry(str(node.module), name)
            if name in defined(node):
                return Entry(name, node, text, list(self._members(module, name, node)))
        raise LookupError(f"{module} has no {name}")

    def fixtures(self, module: str) -> list[Entry]:
        """Returns the public fixtures of pytest that the module defines."""
        found = statements(self.tree(module).body)
        return [
            Entry(node.name, node, text, is_fixture=True)
            for node, text in found
            if isinstance(node, ast.FunctionDef)
            and not node.name.startswith("_")
            and any("fixture" in one for one in decorators(node))
        ]

    def _members(self, module: str, prefix: str, node: ast.AST) -> Iterator[Entry]:
        """Yields the members of a class, and of its bases that are not public."""
        if not isinstance(node, ast.ClassDef):
            return
        known: set[str] = set()
        for member, text in statements(node.body):
            for name in defined(member):
                known.add(name)
                yield Entry(f"{prefix}.{name}", member, text)
        for base in map(ast.unparse, node.bases):
            if base in self.exported("__init__"):
                continue  # It has its own section.
            try:
                entry = self.entry(module, base)
            except (LookupError, OSError):
                continue  # A class of another package.
            for one in entry.members:
                name = one.name.rpartition(".")[2]
                if name not in known:
                    yield Entry(f"{prefix}.{name}", one.node, one.text)


def statements(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Yields the statements with their documentation, also those for type checkers only."""
    for node, following in zip(body, [*body[1:], None]):
        if isinstance(node, ast.If):
            yield from statements(node.body)
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node, ast.get_docstring(node) or ""
        else:
            text = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                text = textwrap.dedent(" " * following.col_offset + str(following.value.value)).strip()
            yield node, text


def defined(node: ast.stmt) -> list[str]:
    """Returns the names that the statement defines."""
    if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        return [ast.unparse(node.target)]
    return [ast.unparse(target) for target in node.targets] if isinstance(node, ast.Assign) else []


def decorators(node: Function) -> list[str]:
    """Returns the decorators of a function."""
    return [ast.unparse(one) for one in node.decorator_list]


def undocumented(entry: Entry) -> list[str]:
    """Returns the parameters without a line in `Args:`, of a name and its members.

    An attribute with the name of the parameter and a text documents it too: values have these.
    """
    attributes = {one.name.rpartition(".")[2] for one in entry.members if one.text}
    described = {line[0].strip("*") for line in arguments(entry.text)}
    missing = [f"{entry.name}({one})" for one in entry.parameters if one not in described | attributes]
    for member in entry.members:
        if member.is_shown:
            missing += undocumented(member)
    return missing


_ARGUMENTS = re.compile(r"(?:^|\n)Args:\n((?:    .*\n|\n)+)")


def arguments(text: str) -> list[tuple[str, str]]:
    """Returns the names and the texts of the section `Args:`."""
    found = _ARGUMENTS.search(text + "\n")
    block = textwrap.dedent(found[1]) if found else ""
    return re.findall(r"(?m)^(\w+): ((?:.|\n(?=[ \n]))*)", block)


class _Plain(ast.NodeTransformer):
    """Writes annotations as in new versions of Python: `X | None`."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        outer = ast.unparse(node.value)
        if outer == "Optional":
            return ast.BinOp(node.slice, ast.BitOr(), ast.Constant(None))
        if outer == "Union" and isinstance(node.slice, ast.Tuple):
            first, *others = node.slice.elts
            joined: ast.expr = first
            for other in others:
                joined = ast.BinOp(joined, ast.BitOr(), other)
            return joined
        return node


def shown(annotation: ast.expr | None) -> str:
    """Returns an annotation as text."""
    if annotation is None:
        return ""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    return ast.unparse(_Plain().visit(annotation))


def signature(entry: Entry) -> str:
    """Returns how the name is called."""
    function = entry.function
    if function is None:
        raise TypeError(f"{entry.name} is not a function")
    everything = copy.deepcopy(function.args)
    for one in ast.walk(everything):
        if isinstance(one, ast.arg) and one.annotation is not None:
            one.annotation = ast.parse(shown(one.annotation), mode="eval").body
    is_method = "." in entry.name or isinstance(entry.node, ast.ClassDef)
    if is_method and "staticmethod" not in decorators(function):
        (everything.posonlyargs or everything.args).pop(0)
    # A comma inside an annotation is not followed by a name with an annotation.
    listed = [one for one in re.split(r", (?=\*|/|\w+(?::|=|,|$))", ast.unparse(everything)) if one]
    listed = [one.replace("=", " = ", 1) if ": " in one else one for one in listed]
    result = "" if isinstance(entry.node, ast.ClassDef) else f" -> {shown(function.returns)}"
    awaited = "await " if isinstance(function, ast.AsyncFunctionDef) and not _is_generator(function) else ""
    line = f"{awaited}{entry.name}({', '.join(listed)}){result}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{awaited}{entry.name}(", *(f"    {one}," for one in listed), f"){result}"])


def _is_generator(function: Function) -> bool:
    return any(isinstance(node, ast.Yield) for node in ast.walk(function))


def wrapped(text: str, first: str = "", others: str = "", width: int = WIDTH) -> str:
    """Returns a paragraph in lines of the page's width."""
    return textwrap.fill(
        " ".join(text.split()),
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def markdown(text: str, width: int = WIDTH) -> str:
    """Returns a docstring as Markdown."""
    described = arguments(text)
    if described:
        before, _, after = _ARGUMENTS.split(text + "\n", maxsplit=1)
        listed = "Arguments:\n\n" + "\n".join(_argument(name, one) for name, one in described)
        return "\n\n".join([markdown(before), listed, *filter(None, [markdown(after)])])
    parts: list[str] = []
    code: list[str] = []
    for paragraph in [*re.split(r"\n\n+", text.strip("\n")), ""]:
        if paragraph.startswith("    "):
            code.append(textwrap.dedent(paragraph))
            continue
        if code:
            parts.append("```python\n" + "\n\n".join(code) + "\n```")
            code = []
        # A colon more than in prose begins a block of code.
        lines = re.sub(r"(?:^|(?<=[\s.]))::$|(?<=:):$", "", paragraph.rstrip()).rstrip()
        if lines.startswith("- "):
            items = re.split(r"\n(?=- )", lines)
            parts.append("\n".join(wrapped(one[2:], "- ", "  ", width) for one in items))
        elif lines:
            parts.append(wrapped(lines, width=width))
    return "\n\n".join(parts)


def _argument(name: str, text: str) -> str:
    head, *items = [part for part in re.split(r"\n\s*\n", text.rstrip()) if part.strip()]
    lines = [wrapped(head, f"- `{name}`: ", "  ")]
    for item in items:
        lines += [wrapped(one.strip()[2:], "  - ", "    ") for one in re.split(r"\n\s*(?=- )", item.strip())]
    return "\n".join(lines)


def section(entry: Entry, level: int) -> Iterator[str]:
    """Yields the parts of the page about a name."""
    yield f"{'#' * level} {entry.name}"
    node = entry.node
    if not entry.is_attribute:
        if entry.is_fixture:
            yield f"A fixture: `{shown(entry.function.returns) if entry.function else ''}`"
        else:
            yield f"```python\n{signature(entry)}\n```"
    if isinstance(node, ast.ClassDef):
        bases = [shown(base) for base in node.bases]
        public = [f"`{base}`" for base in bases if base.endswith("Error") or base == "Exception"]
        if public:
            yield f"Bases: {', '.join(public)}.{_kind(node)}"
    if entry.text:
        yield markdown(entry.text)
    attributes = [one for one in entry.members if one.is_shown and one.is_attribute and one.text]
    if attributes:
        yield "Attributes:\n\n" + "\n".join(_attribute(one) for one in attributes)
    for member in entry.members:
        if member.is_shown and not member.is_attribute:
            yield from section(member, level + 1)


def _kind(node: ast.ClassDef) -> str:
    """Returns the name and the number of an error."""
    values = {
        ast.unparse(one.targets[0]): ast.unparse(one.value)
        for one in node.body
        if isinstance(one, ast.Assign)
    }
    return f" Its `name` is `{values['name']}`, its `code` {values['code']}." if "code" in values else ""


def _attribute(entry: Entry) -> str:
    node, annotation = entry.node, ""
    if isinstance(node, ast.AnnAssign):
        annotation = shown(node.annotation)
    elif entry.function is not None:
        annotation = shown(entry.function.returns)
    annotation = re.sub(r"^(?:ClassVar|Final)\[(.*)\]$", r"\1", annotation)
    kind = f" (`{annotation}`)" if annotation else ""
    first, *others = markdown(entry.text, WIDTH - 2).split("\n\n")
    lines = [wrapped(first, f"- `{entry.name.rpartition('.')[2]}`{kind}: ", "  ")]
    lines += ["\n" + textwrap.indent(one, "  ") for one in others]
    return "\n".join(lines)


def everything() -> list[tuple[str, str, list[Entry]]]:
    """Returns the name, the text and the public names of each module."""
    package, plugin = Sources(FOLDER / "python" / PACKAGE), Sources(FOLDER / "python" / PLUGIN)
    pages = [(PACKAGE, package, "__init__"), *((f"{PACKAGE}.{one}", package, one) for one in MODULES)]
    pages.append((PLUGIN, plugin, "__init__"))
    found = []
    for name, sources, module in pages:
        text = ast.get_docstring(sources.tree(module)) or ""
        entries = [sources.entry(module, one) for one in sources.exported(module)]
        found.append((name, text, [*sources.fixtures(module), *entries]))
    return found


def types(text: str) -> str:
    """Returns the definitions of the private names of types that the text has."""
    folder = FOLDER / "python" / PACKAGE
    sources = Sources(folder)
    nodes: dict[str, ast.stmt] = {}
    for module in ["_native", *sorted(path.stem for path in folder.glob("*.py"))]:
        for node, _ in statements(sources.tree(module).body):
            # Several names at once are those that type checkers do not use.
            if len(defined(node)) == 1:
                nodes.setdefault(defined(node)[0], node)
    found: dict[str, str] = {}
    wanted = [text]
    while wanted:
        for name in re.findall(r"\b_[A-Z]\w+", wanted.pop()):
            if name not in found:
                found[name] = _definition(name, nodes[name])
                wanted.append(found[name])
    return "\n".join(
        ["## Types in the signatures\n\n```python", *(found[name] for name in sorted(found)), "```"]
    )


def _definition(name: str, node: ast.stmt) -> str:
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return f"{name} = {shown(node.value)}"
    if isinstance(node, ast.ClassDef):
        node.decorator_list = []
    return ast.unparse(node).replace("\n\n", "\n")


def page() -> str:
    """Returns the whole page. Fails if a name or a parameter is not documented."""
    parts = [HEADER.rstrip()]
    for name, text, entries in everything():
        missing = [one.name for one in entries if not one.text] + [
            x for one in entries for x in undocumented(one)
        ]
        if missing:
            raise SystemExit(f"{name}: without documentation: {', '.join(missing)}")
        parts += [f"## Module {name}", markdown(text)]
        module = name.rpartition(".")[2] + "." if name in {f"{PACKAGE}.{one}" for one in MODULES} else ""
        for entry in entries:
            head, *others = section(entry, 3)
            parts += [head.replace("### ", f"### {module}"), *others]
    parts.append(types("\n".join(parts)))
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str]) -> None:
    """Writes the page, or compares it."""
    wanted = page()
    if arguments != ["--check"]:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(wanted, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != wanted:
        raise SystemExit("docs/reference/python.md is not up to date; run: cargo xtask docs")


if __name__ == "__main__":
    main(sys.argv[1:])
