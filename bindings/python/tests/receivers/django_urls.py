"""The views of both receivers in Django: one is a function, the other a coroutine function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import common
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse  # type: ignore[import-untyped]
from django.urls import path  # type: ignore[import-untyped]

from justcall_auth.django import webhook

if TYPE_CHECKING:
    from justcall_auth import WebhookEvent


def report(_: HttpRequest) -> HttpResponse:
    return JsonResponse(common.report())


@webhook(common.verifier)
def function(_: HttpRequest, event: WebhookEvent, name: str) -> Any:
    common.handle(event)
    if event.type == "call.updated":
        return JsonResponse({"name": name, "confirmed": event.confirm(common.client).json()["data"]["id"]})
    return None


@webhook(common.verifier)
async def coroutine(_: HttpRequest, event: WebhookEvent, name: str) -> Any:
    common.handle(event)
    if event.type == "call.updated":
        response = await sync_to_async(event.confirm)(common.client)
        return JsonResponse({"name": name, "confirmed": response.json()["data"]["id"]})
    return None


urlpatterns = [path("report", report), path("hooks/<name>", function), path("async/<name>", coroutine)]
