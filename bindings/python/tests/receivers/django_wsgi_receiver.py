"""A receiver in Django, under WSGI."""

from __future__ import annotations

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "django_settings"

import common
from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]

application = common.counting_wsgi(get_wsgi_application())
