"""A Celery task: celery -A tasks worker."""

from __future__ import annotations

import os

from app import client
from celery import Celery

# [snippet]
celery = Celery("tasks", broker=os.environ.get("BROKER"), backend=os.environ.get("BACKEND"))
if folder := os.environ.get("CELERY_QUEUE"):
    # A queue of files, for a test without a broker.
    folders = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
    celery.conf.broker_transport_options = {**folders, "polling_interval": 0.02}


@celery.task
def count_calls() -> tuple[int, int]:
    """Makes a call. The prefork pool inherits the client, and threads share it."""
    return client.get("/v2.1/echo").http_status, os.getpid()


# [/snippet]
