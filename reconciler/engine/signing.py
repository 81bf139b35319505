"""Which commits are signed by those who count?

Looked at lazily, when a version would enter an environment that asks for signatures, and remembered with a digest of
the keys: other keys, other judgements. What follows from a judgement is the planner's question.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from reconciler import telemetry
from reconciler.engine.following import Following
from reconciler.errors import GitCorrupt, GitError
from reconciler.git.signing_keys import Keys, keys_digest
from reconciler.git.verifying import Judgement, verify
from reconciler.store import due, obstacles, overrides
from reconciler.store.database import Transaction

log = telemetry.logger("daemon")

_UNSET = (
    "nobody's signature counts yet: name an allowed-signers file (signers.ssh) or GnuPG keys (signers.gpg) in the "
    "settings"
)


class Signing:
    """Judges signatures by `keys`, whose files are looked at again every `interval`."""

    def __init__(self, following: Following, keys: Keys, interval: timedelta) -> None:
        self._following = following
        self._keys = keys
        self._interval = interval
        self._digest = ""
        self._found = ""
        self._look_at: datetime | None = None
        self._left = set[str]()
        """Commits that could not be looked at."""
        self._again = False
        """Whether it is time to try that again."""

    def changed(self, now: datetime) -> bool:
        """Whether the key files are others than those that signatures were judged by, or some signatures could not be
        looked at; found out once an interval."""
        if self._look_at is None or now >= self._look_at:
            self._look_at = now + self._interval
            self._found = keys_digest(self._keys)
            self._again = bool(self._left)
        return self._again or self._found != self._digest

    def refresh(self, transaction: Transaction, now: datetime) -> None:
        """Forget what was judged by other keys, so that it is judged anew before anything is planned; what could not be
        looked at is tried again."""
        if not self.changed(now):
            return
        if self._again:
            self._again = False
            waiting = obstacles.apps(transaction.connection, "signature")
            due.mark(transaction, waiting, now)
            self._left = self._left if waiting else set()  # else nobody asks for them any more
        self._digest = self._found
        count = overrides.forget_signatures(transaction, self._digest)
        if count:
            log.info("signers.changed", judged_anew=count)
            due.mark_all(transaction, now)

    def unsure(self) -> None:
        """Nobody knows whether what was forgotten is forgotten: do it again."""
        self._digest = ""

    def judge(self, transaction: Transaction, commits: Collection[str], now: datetime) -> None:
        """Look at the signatures of these commits. One that cannot be looked at now is tried again after an
        interval."""
        if self._keys.ssh is None and self._keys.gpg is None:
            found = {commit: Judgement("no-keys", detail=_UNSET) for commit in commits}
        else:
            try:
                found = self._verified(sorted(commits))
            except GitError as error:
                self._left.update(commits)
                log.warning("signatures.failed", error=error.message, next=error.next_step)
                return
        self._left -= found.keys()
        for commit, one in found.items():
            detail = f"signed by {one.signer}: {one.detail}" if one.verdict == "good" else one.detail
            overrides.note_signature(transaction, commit, one.verdict == "good", detail, self._digest, now)

    def _verified(self, commits: Sequence[str]) -> dict[str, Judgement]:
        try:
            return verify(self._following.objects, commits, self._keys)
        except GitCorrupt:
            if not self._following.looking.mend():
                raise
            return verify(self._following.objects, commits, self._keys)
