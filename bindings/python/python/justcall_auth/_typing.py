"""Names for annotations, without the imports of `typing` and `collections`.

These take longer than the import of this package. Type checkers use the names of the standard library.
Annotations that are resolved at run time have the types that the names stand for.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING or sys.version_info < (3, 10):
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, ClassVar, Final, Optional, Union
else:
    # `collections.abc` has the same classes, but its import is that of `collections`.
    from _collections_abc import Callable, Iterable, Iterator, Mapping

    Any = object

    class ClassVar:
        """`ClassVar[int]` is `int`."""

        def __class_getitem__(cls, annotation):
            """Returns the type of the attribute."""
            return annotation

    Final = ClassVar

    class Optional:
        """`Optional[int]` is `int | None`."""

        def __class_getitem__(cls, annotation):
            """Returns the union with None."""
            return annotation | None

    class Union:
        """`Union[int, str]` is `int | str`."""

        def __class_getitem__(cls, annotations):
            """Returns the union of the two types."""
            first, second = annotations
            return first | second


__all__ = [
    "TYPE_CHECKING",
    "Any",
    "Callable",
    "ClassVar",
    "Final",
    "Iterable",
    "Iterator",
    "Mapping",
    "Optional",
    "Union",
]
