"""How many answers are made at the same time? Few: one interpreter makes them all, and more take no less time together.

What has begun when reconciling begins is not stopped any more, so it is to be little. An answer that is only sent
again, or for which somebody else is waited, needs no turn: this stands behind `again`.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.api.shielding import UNCOUNTED

AT_ONCE = 2
"""Answers that are made at the same time."""
LONGEST = 0.3
"""Seconds after which an answer that is still being made lets others by: longer than one takes that stood still for
reconciling meanwhile, or soon all of them would be made at the same time."""
GONE = "reconciler.gone"
"""Under which a request's scope says whether whoever asked has hung up meanwhile, where that is known."""


class InTurn:
    """Lets what is asked be answered a few at a time."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"] in UNCOUNTED:
            # A body takes time to come, which would be another one's turn; and who watches over this is told at once.
            await self._application(scope, receive, send)
        else:
            await self._in_turn(scope, receive, send)

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make an answer when it is its turn, which is over at the latest when it begins to be sent: some never end."""
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
            if GONE in scope and scope[GONE]():
                return  # nobody waits for it, and behind it stand others
            asyncio.get_running_loop().call_later(LONGEST, over)  # an answer that takes long lets others by
            await self._application(scope, receive, sending)
        finally:
            over()
