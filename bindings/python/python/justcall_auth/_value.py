"""The base class of the package's immutable values.

They are not made by `dataclasses`, whose import takes longer than that of the package and its first call.
"""

from ._typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from dataclasses import Field
    from typing import NoReturn

    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_options: object) -> object:
        """Does nothing: it describes the class to type checkers."""
        return lambda decorated: decorated


class _OfDataclass:
    """An attribute that `dataclasses.replace`, pydantic and others read, made when one of them does."""

    def __set_name__(self, _owner: object, name: str) -> None:
        self._name = name

    def __get__(self, _instance: object, owner: "type[Value]") -> Any:
        import dataclasses
        import inspect
        import typing

        hints = typing.get_type_hints(owner)
        defaults = inspect.signature(owner).parameters
        fields = []
        for name in owner.__match_args__:
            default = defaults[name].default
            given = {} if default is inspect.Parameter.empty else {"default": default}
            fields.append((name, hints[name], dataclasses.field(**given)))
        return getattr(dataclasses.make_dataclass(owner.__name__, fields, frozen=True), self._name)


@dataclass_transform(frozen_default=True)
class Value:
    """An immutable value: hashable and picklable. Two values are equal if their class and all fields are.

    `dataclasses.fields`, `replace` and `asdict` accept it.
    """

    __match_args__: tuple[str, ...] = ()
    """The names of the fields, in the order of the arguments of the class."""

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    else:
        __dataclass_fields__ = _OfDataclass()
        __dataclass_params__ = _OfDataclass()

    def _set(self, **fields: object) -> None:
        """Sets the fields, for `__init__`."""
        vars(self).update(fields)

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__qualname__}({fields})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __setattr__(self, name: str, _value: object) -> "NoReturn":
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> "NoReturn":
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __replace__(self, **changes: Any) -> "Self":
        """Returns a copy with other values in some fields, for `copy.replace`."""
        values = {name: getattr(self, name) for name in self.__match_args__}
        return type(self)(**{**values, **changes})
