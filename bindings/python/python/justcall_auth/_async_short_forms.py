"""The short forms of `AsyncClient.request`: a method for each HTTP method."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Optional, Union

from ._native import Cancel
from ._response import Response

if TYPE_CHECKING:
    from types import EllipsisType

    from typing_extensions import TypeAlias

    from ._native import _Data, _Headers, _Params

    _Timeout: TypeAlias = Union[float, EllipsisType, None]
else:
    _Data = _Headers = _Params = _Timeout = Any


class ShortForms(ABC):
    """The methods that `AsyncClient` implements with its `request`."""

    @abstractmethod
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Optional[_Params] = None,
        json: object = None,
        data: Optional[_Data] = None,
        headers: Optional[_Headers] = None,
        timeout: _Timeout = ...,
        cancel: Optional[Cancel] = None,
    ) -> Response:
        """Sends a request."""

    async def get(
        self,
        path: str,
        *,
        params: Optional[_Params] = None,
        json: object = None,
        data: Optional[_Data] = None,
        headers: Optional[_Headers] = None,
        timeout: _Timeout = ...,
        cancel: Optional[Cancel] = None,
    ) -> Response:
        """Sends a `GET` request.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """
        return await self.request(
            "GET",
            path,
            params=params,
            json=json,
            data=data,
            headers=headers,
            timeout=timeout,
            cancel=cancel,
        )

    async def head(
        self,
        path: str,
        *,
        params: Optional[_Params] = None,
        json: object = None,
        data: Optional[_Data] = None,
        headers: Optional[_Headers] = None,
        timeout: _Timeout = ...,
        cancel: Optional[Cancel] = None,
    ) -> Response:
        """Sends a `HEAD` request, whose response has no body.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """
        return await self.request(
            "HEAD",
            path,
            params=params,
            json=json,
            data=data,
            headers=headers,
            timeout=timeout,
            cancel=cancel,
        )

    async def post(
        self,
        path: str,
        *,
        params: Optional[_Params] = None,
        json: object = None,
        data: Optional[_Data] = None,
        headers: Optional[_Headers] = None,
        timeout: _Timeout = ...,
        cancel: Optional[Cancel] = None,
    ) -> Response:
        """Sends a `POST` request.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """
        return await self.request(
            "POST",
            path,
            params=params,
            json=json,
            data=data,
            headers=headers,
            timeout=timeout,
            cancel=cancel,
        )

    async def put(
        self,
        path: str,
        *,
        params: Optional[_Params] = None,
        json: object = None,
        data: Optional[_Data] = None,
        headers: Optional[_Headers] = None,
        timeout: _Timeout = ...,
        cancel: Optional[Cancel] = None,
    ) -> Response:
        """Sends a `PUT` request.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """
        return await self.request(
            "PUT",
            path,
            params=params,
            json=json,
            data=data,
            headers=headers,
            timeout=timeout,
            cancel=cancel,
        )

    async def patch(
        self,
        path: str,
        *,
        params: Optional[_Params] = None,
        json: object = None,
        data: Optional[_Data] = None,
        headers: Optional[_Headers] = None,
        timeout: _Timeout = ...,
        cancel: Optional[Cancel] = None,
    ) -> Response:
        """Sends a `PATCH` request.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """
        return await self.request(
            "PATCH",
            path,
            params=params,
            json=json,
            data=data,
            headers=headers,
            timeout=timeout,
            cancel=cancel,
        )

    async def delete(
        self,
        path: str,
        *,
        params: Optional[_Params] = None,
        json: object = None,
        data: Optional[_Data] = None,
        headers: Optional[_Headers] = None,
        timeout: _Timeout = ...,
        cancel: Optional[Cancel] = None,
    ) -> Response:
        """Sends a `DELETE` request.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """
        return await self.request(
            "DELETE",
            path,
            params=params,
            json=json,
            data=data,
            headers=headers,
            timeout=timeout,
            cancel=cancel,
        )
