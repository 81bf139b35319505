"""When does an answer wait for reconciling? While the daemon beside this process is at work, a moment at most."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.telemetry.busy import Busy

LONGEST = 0.1
"""Seconds that an answer waits at most: while thousands are deployed, pages are still read."""


class StandingBack:
    """Lets a request wait while reconciling is at work: what was merged goes first, what is looked at comes after."""

    def __init__(self, application: ASGIApp, busy: Busy) -> None:
        self._application = application
        self._busy = busy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._wait()
        await self._application(scope, receive, send)

    async def _wait(self) -> None:
        waited = 0.0
        while waited < LONGEST and (left := self._busy.left()):
            pause = min(left, LONGEST - waited)
            await asyncio.sleep(pause)
            waited += pause
