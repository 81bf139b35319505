"""How do CloudEvents reach their receiver? Each by a POST in structured mode; a second one is known by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from reconciler.notify.addresses import NotDelivered, behind
from reconciler.notify.answers import judge, unreached

TYPE = "application/cloudevents+json; charset=UTF-8"
TIMEOUT = 10.0
"""Seconds."""


def send(row: Any, environ: Mapping[str, str]) -> None:
    """Send the events of a message, in order. Raises NotDelivered."""
    url = behind("to", row.to, environ)
    if not url.startswith(("http://", "https://")):
        raise NotDelivered(f"{row.to} holds no http address, which CloudEvents are sent to")
    with httpx2.Client(timeout=TIMEOUT, headers={"Content-Type": TYPE}) as client:
        for event in row.content["events"]:
            try:
                # What it answers besides the status is not read, however much it is.
                with client.stream("POST", url, json=event) as answer:
                    judge(answer, "the receiver")
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise unreached(error, "the receiver") from None
