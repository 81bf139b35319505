"""What is said above an app's page once somebody's button was recorded?

Whoever pressed it is led back to the page, with a word in the address that this process made for their session. So an
address that somebody wrote, kept or passed on says nothing of the kind, and after a while nor does the page: what
was asked for is over or undone by then, and the page tells how things stand.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from reconciler.api.access import Actor

SAID = {
    "approve": "Approved. It enters as soon as every gate is passed.",
    "rollback": "The rollback is asked for. The environment is held there until git says the same.",
    "pause": "Paused. Nothing new starts until then; rollbacks pass.",
    "resume": "The pause is over.",
    "release": "The hold is lifted: what git says is carried out again.",
    "retry": "It is to be tried again.",
    "checks": "The checks are to be run again.",
    "abort": "It is told to stop. No automation begins it again.",
    "promote": "The commit is on its branch, ready for a pull request.",
}
LASTS = timedelta(minutes=2)


def word(kind: str, app: str, actor: Actor, now: datetime) -> str:
    """What the address holds once `actor` has had this recorded about an app, at `now` (UTC)."""
    seconds = int(now.timestamp())
    return f"{kind}-{seconds}-{_mark(kind, app, actor, seconds)}"


def heard(found: str, app: str, actor: Actor, now: datetime) -> str:
    """Which kind a word speaks of; '' where it is none of ours, of somebody else or of long ago."""
    kind, _, rest = found.partition("-")
    written, _, mark = rest.partition("-")
    if kind not in SAID or not (written.isascii() and written.isdigit()) or len(written) > 12 or not actor.session:
        return ""
    seconds = int(written)
    ours = hmac.compare_digest(mark.encode("utf-8", "surrogatepass"), _mark(kind, app, actor, seconds).encode())
    at = datetime.fromtimestamp(seconds, UTC) if ours else None
    return kind if at is not None and at <= now < at + LASTS else ""


def _mark(kind: str, app: str, actor: Actor, seconds: int) -> str:
    about = f"{kind}\n{app}\n{seconds}".encode("utf-8", "surrogatepass")
    return hmac.new(actor.word.encode(), about, hashlib.sha256).hexdigest()[:16]
