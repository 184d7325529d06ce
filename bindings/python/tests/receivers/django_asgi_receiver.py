"""A receiver in Django, under ASGI."""

from __future__ import annotations

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "django_settings"

import common
from django.core.asgi import get_asgi_application  # type: ignore[import-untyped]

application = common.counting_asgi(get_asgi_application())
