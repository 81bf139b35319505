"""What does an answer to a request mean: taken, later, or never? And what does it mean that none came?"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from reconciler.notify.addresses import NotDelivered

LONGEST = 3600.0
_LATER = frozenset({408, 409, 425, 429})
_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL)


def judge(answer: httpx2.Response, who: str) -> None:
    """Pass a success; else raise NotDelivered, with the pause that was asked for."""
    if answer.is_success:
        return
    status = answer.status_code
    limited = status == 429 or (status == 403 and answer.headers.get("x-ratelimit-remaining") == "0")
    after = _pause(answer) if limited or status >= 500 else None
    for_good = 400 <= status < 500 and status not in _LATER and not limited and status not in (401, 403, 404)
    raise NotDelivered(f"{who} answered with status {status}", after=after, for_good=for_good)


def unreached(error: httpx2.HTTPError | httpx2.InvalidURL, who: str, *, changes: bool = True) -> NotDelivered:
    """No answer came to a request, which `changes` something over there or only asks.

    What the library says of it may quote the address, so only its kind is passed on.
    """
    sent = not isinstance(error, _NOTHING_SENT)
    return NotDelivered(f"{who} did not answer ({type(error).__name__})", unsure=changes and sent)


def _pause(answer: httpx2.Response) -> float | None:
    """Seconds that the other side asks to be left alone."""
    said = answer.headers.get("retry-after", "")
    if said.isascii() and said.isdigit():
        return min(float(said), LONGEST)
    moment = answer.headers.get("date", "")
    reset = answer.headers.get("x-ratelimit-reset", "")
    try:
        here = parsedate_to_datetime(moment)
        told = reset.isascii() and reset.isdigit()
        until = datetime.fromtimestamp(int(reset), UTC) if told else parsedate_to_datetime(said)
        return min(max((until - here).total_seconds(), 0.0), LONGEST)
    except (ValueError, TypeError, OverflowError, OSError):  # what is no moment, or none of this machine's
        return None
