"""How does a message reach a chat, a mailbox or a web hook? By Apprise, which knows their addresses.

What Apprise says of a failure may hold parts of the address, so of its words only the status is passed on.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from reconciler.notify.addresses import NotDelivered, behind

HEADER = "X-Reconciler-Message"
"""Carries the id of a message wherever headers can be added: the same with each attempt."""
REPEATED = "This may have arrived before: the answer to an earlier attempt was lost. Reference {}."
AT_ONCE = 1.0
"""Seconds within which a failure means that nothing was sent."""
_STATUS = re.compile(r"error=(\d{3})\b")
_KINDS = {
    "failed": "failure",
    "manifest-broken": "failure",
    "head-held": "failure",
    "completed": "success",
    "started": "info",
    "change-ahead": "info",
    "freeze-began": "info",
}


def send(row: Any, environ: Mapping[str, str]) -> None:
    """Send a message. Raises NotDelivered."""
    # Imported here, in the thread that sends: it takes long, and most daemons never need it.
    import apprise

    for name in ("apprise", "urllib3"):
        _be_silent(logging.getLogger(name))
    service = _service(apprise, behind("to", row.to, environ), row.to)
    headers = getattr(service, "headers", None)
    if isinstance(headers, dict):
        headers[HEADER] = row.id
    content = row.content
    body = content["body"]
    if row.uncertain:
        body = f"{body}\n\n{REPEATED.format(row.id[:12])}"
    markdown = content["format"] == "markdown"
    form = apprise.NotifyFormat.MARKDOWN if markdown else apprise.NotifyFormat.TEXT
    kind = apprise.NotifyType(_KINDS.get(content["worst"], "warning"))
    everyone = apprise.Apprise()
    everyone.add(service)
    found = everyone.notify(body=body, title=content["title"], notify_type=kind, body_format=form)
    if not found:
        raise _failure(found)


def _be_silent(log: logging.Logger) -> None:
    """What it says stays with the attempt; only failures are read from there, so nothing less is kept."""
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    log.setLevel(logging.WARNING)


def _service(apprise: Any, url: str, source: str) -> Any:
    # What it says of itself; no pictures are asked for from anywhere.
    asset = apprise.AppriseAsset(
        app_id="reconciler",
        app_desc="reconciler",
        app_url="",
        image_url_mask=None,
        image_url_logo=None,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
    try:
        service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    except Exception:  # noqa: BLE001 - what it raises may quote the address
        service = None
    if service is None:
        raise NotDelivered(f"{source} holds no address that Apprise knows")
    return service


def _failure(found: Any) -> NotDelivered:
    attempts = [attempt for result in found for attempt in result.attempts]
    status = _STATUS.search(" ".join(str(entry.message) for attempt in attempts for entry in attempt.logs))
    if status is not None:
        return NotDelivered(f"the service answered with status {status[1]}")
    if max((attempt.elapsed for attempt in attempts), default=0.0) < AT_ONCE:
        return NotDelivered("the service cannot be reached, or did not take it")
    return NotDelivered("the service did not answer in time", unsure=True)
