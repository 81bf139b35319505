"""When does an answer wait for reconciling? While the daemon beside this process is at work, a moment at most.

What was merged goes first, what is looked at comes after. How many answers are made at the same time is the business
of `in_turn`.
"""

from __future__ import annotations

import asyncio
import time

from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.api.shielding import UNCOUNTED
from reconciler.telemetry.busy import Busy

LONGEST = 0.1
"""Seconds that an answer waits at most before it is made; and for which those that are being made stand still when
reconciling begins: while thousands are deployed, pages are still read."""


class StandingBack:
    """Lets a request wait while reconciling is at work."""

    def __init__(self, application: ASGIApp, busy: Busy) -> None:
        self._application = application
        self._busy = busy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in UNCOUNTED:
            await self._wait()
        await self._application(scope, receive, send)

    async def _wait(self) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + LONGEST
        while (left := self._busy.left()) and (more := until - clock()) > 0:
            await asyncio.sleep(min(left, more))


class GivingWay:
    """Lets an answer that is being made wait between two questions to the store, when reconciling has just begun."""

    def __init__(self, busy: Busy) -> None:
        self._busy = busy

    def __call__(self) -> None:
        while (left := self._busy.left()) and (more := LONGEST - self._busy.lasted()) > 0:
            time.sleep(min(left, more))
