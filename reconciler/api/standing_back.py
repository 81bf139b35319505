"""When does an answer wait for reconciling? While the daemon beside this process is at work, a moment at most."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.telemetry.busy import Busy

LONGEST = 0.1
"""Seconds that an answer waits at most: while thousands are deployed, pages are still read."""
AT_ONCE = 2
"""Answers that are made at the same time. More of them take no less time together: one interpreter makes them all."""
GONE = "reconciler.gone"
"""Under which a request's scope says whether whoever asked has hung up meanwhile, where that is known."""


class StandingBack:
    """Lets a request wait while reconciling is at work: what was merged goes first, what is looked at comes after.

    Few answers are made at the same time: what has begun when reconciling begins is not stopped any more.
    """

    def __init__(self, application: ASGIApp, busy: Busy) -> None:
        self._application = application
        self._busy = busy
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):  # a body takes time to come, which would be another one's turn
            await self._wait(_at_most())
            await self._application(scope, receive, send)
        else:
            await self._in_turn(scope, receive, send)

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make an answer when it is its turn, which is over at the latest when it begins to be sent: some never end."""
        until = _at_most()  # by its own arrival: whoever stood in line behind another has waited already
        await self._turns.acquire()
        held = True

        def over() -> None:
            nonlocal held
            if held:
                held = False
                self._turns.release()

        async def sending(message: Message) -> None:
            over()
            await send(message)

        try:
            await self._wait(until)
            if GONE in scope and scope[GONE]():
                return  # nobody waits for it, and behind it stand others
            asyncio.get_running_loop().call_later(LONGEST, over)  # an answer that takes long lets others by
            await self._application(scope, receive, sending)
        finally:
            over()

    async def _wait(self, until: float) -> None:
        clock = asyncio.get_running_loop().time
        while (left := self._busy.left()) and (more := until - clock()) > 0:
            await asyncio.sleep(min(left, more))


def _at_most() -> float:
    """Until when a request that has come just now may have to wait."""
    return asyncio.get_running_loop().time() + LONGEST
