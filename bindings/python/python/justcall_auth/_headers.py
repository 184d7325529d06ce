"""The headers of an answer."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Union


class Headers(Mapping[str, str]):
    """The headers of an answer: a mapping whose names are found in any case.

    Of a name that came more than once the mapping holds the first value; `get_all` gives every value of a
    name, `multi_items` every pair. Names keep the order and the spelling in which they came. `repr` shows
    the names alone, for values may be confidential.

    Immutable, hashable, picklable; equal to any mapping with the same names, in any case, and values.
    """

    __slots__ = ("_found", "_pairs")

    _pairs: tuple[tuple[str, str], ...]
    """What came. The native module sets this alone, without `__init__`."""

    _found: dict[str, tuple[str, str]]
    """What was looked up with: `_first` makes it."""

    def __init__(self, headers: Union[Mapping[str, str], Iterable[tuple[str, str]]] = ()) -> None:
        items = headers.items() if isinstance(headers, Mapping) else headers
        self._pairs = tuple((name, value) for name, value in items)

    def get_all(self, name: str) -> list[str]:
        """Every value of `name`, in the order they came; empty where there is none."""
        lower = name.lower()
        return [value for known, value in self._pairs if known.lower() == lower]

    def multi_items(self) -> list[tuple[str, str]]:
        """Every name and value, repeated names included, in the order they came."""
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
        """The first header of each name, by the name in lower case. Most answers are never asked for it."""
        try:
            return self._found
        except AttributeError:
            found: dict[str, tuple[str, str]] = {}
            for name, value in self._pairs:
                found.setdefault(name.lower(), (name, value))
            # Two threads may come here; they find the same.
            self._found = found
            return found

    def _values(self) -> dict[str, tuple[str, ...]]:
        """The values of each name, in lower case: what makes two of these equal."""
        values: dict[str, tuple[str, ...]] = {}
        for name, value in self._pairs:
            values[name.lower()] = (*values.get(name.lower(), ()), value)
        return values

    def __repr__(self) -> str:
        return f"<Headers {', '.join(name for name, _ in self._pairs)}>"

    def __reduce__(self) -> tuple[type["Headers"], tuple[tuple[tuple[str, str], ...]]]:
        """Pickles the pairs, by every protocol."""
        return Headers, (self._pairs,)
