"""The headers of a response."""

from ._typing import Iterable, Iterator, Mapping, Union


class Headers(Mapping[str, str]):
    """The headers of a response: a mapping that ignores the case of names.

    If a name is repeated, the mapping has its first value. `get_all` returns every value of a name, and
    `multi_items` returns every name and value. Names keep the order and the spelling of the response. `repr`
    shows only the names, because values may be confidential.

    Immutable, hashable and picklable. Equal to a mapping with the same names, in any case, and values.

    Args:
        headers: The names and values, a mapping or pairs.

    """

    __module__ = "justcall_auth"
    __slots__ = ("_found", "_pairs")

    _pairs: tuple[tuple[str, str], ...]
    """The headers as received. The native module sets only this attribute, without `__init__`."""

    _found: dict[str, tuple[str, str]]
    """The index for lookups, which `_first` creates."""

    def __init__(self, headers: Union[Mapping[str, str], Iterable[tuple[str, str]]] = ()) -> None:
        items = headers.items() if isinstance(headers, Mapping) else headers
        self._pairs = tuple((name, value) for name, value in items)

    def get_all(self, name: str) -> list[str]:
        """Returns every value of `name`, in the order of the response; empty if there is none.

        Args:
            name: The name, in any case.

        """
        lower = name.lower()
        return [value for known, value in self._pairs if known.lower() == lower]

    def multi_items(self) -> list[tuple[str, str]]:
        """Returns every name and value, with repeated names, in the order of the response."""
        return list(self._pairs)

    def __getitem__(self, name: str) -> str:
        try:
            return self._first()[name.lower()][1]
        except KeyError:
            raise KeyError(name) from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._first()

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._first().values())

    def __len__(self) -> int:
        return len(self._first())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        if not isinstance(other, Headers):
            if not all(isinstance(name, str) for name in other):
                return False
            other = Headers(other)
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(frozenset(self._values().items()))

    def _first(self) -> dict[str, tuple[str, str]]:
        """Returns the first header of each name, by the name in lower case.

        Created at the first lookup, because most programs read no header.
        """
        try:
            return self._found
        except AttributeError:
            found: dict[str, tuple[str, str]] = {}
            for name, value in self._pairs:
                found.setdefault(name.lower(), (name, value))
            # Two threads may do this at once; their results are equal.
            self._found = found
            return found

    def _values(self) -> dict[str, tuple[str, ...]]:
        """Returns the values of each name, in lower case, for comparison."""
        values: dict[str, tuple[str, ...]] = {}
        for name, value in self._pairs:
            values[name.lower()] = (*values.get(name.lower(), ()), value)
        return values

    def __repr__(self) -> str:
        return f"<Headers {', '.join(name for name, _ in self._pairs)}>"

    def __reduce__(self) -> tuple[type["Headers"], tuple[tuple[tuple[str, str], ...]]]:
        """Pickles the names and values, with every protocol."""
        return Headers, (self._pairs,)
