"""Which things can go wrong, and what happens next?

    ReconcilerError                 everything we raise on purpose; carries `next_step`
    ├── WrongUse                    the caller asked for something that makes no sense (exit status 2)
    ├── NotSo                       the thing asked about is not so: invalid, refused, unknown (exit status 1)
    │   ├── FollowsAnother          the store follows another branch or path than this daemon, which ends
    │   └── UnknownReference        a version, app, environment or deployment that nobody has recorded
    │       └── AmbiguousReference  several are meant
    ├── ScheduleError               an instant, zone, duration or recurrence that cannot be read
    ├── ManifestError               desired state that cannot be accepted (carries every complaint)
    ├── GitError                    the desired side does not answer
    │   ├── GitUnreachable          tried again later, the last fetched commit stays in force
    │   ├── GitMissing              it answers, but lacks the branch or the path: what was noted last stays in force
    │   └── GitCorrupt              the mirror lacks an object: it is made anew
    ├── StoreError                  the recorded side does not answer
    │   ├── StoreRefuses            it answers, but lets nobody in: a person corrects the address or the rights
    │   └── LeaseLost               this daemon was given up by the others: it stops what it does and begins anew
    └── TargetError                 a deployment did not go well
        ├── TryAgainLater           nothing is wrong yet; another attempt after the backoff, not counted as a failure
        ├── AttemptFailed           counted; another attempt after the backoff until the limit is used up
        ├── PersonNeeded            no attempt will help until somebody changes something
        ├── Aborted                 stopped because we asked for it
        └── Superseded              a newer act took effect there: nothing was done, and no attempt follows

Only errors live here: no formatting for a terminal, no logging, no mapping to HTTP.
"""

from __future__ import annotations


class ReconcilerError(Exception):
    """Something went wrong in a way we foresaw.

    `message` is one sentence about what is wrong; `next_step` one sentence about what happens next
    (retried when) or what a person does. Both are safe to show: they never hold a secret value.
    """

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} ({self.next_step})" if self.next_step else self.message


class WrongUse(ReconcilerError):
    """The caller asked for something that makes no sense; nothing was done."""


class NotSo(ReconcilerError):
    """The thing asked about is not so: invalid, refused, unknown, or not settled in time."""


class FollowsAnother(NotSo):
    """The store follows another branch or path than a daemon does, which can do nothing for it."""


class UnknownReference(NotSo):
    """A version, app, environment or deployment that is not recorded."""


class AmbiguousReference(UnknownReference):
    """What was given means several: more of it says which."""


class ScheduleError(ReconcilerError):
    """An instant, zone, duration or recurrence that cannot be read."""


class ManifestError(ReconcilerError):
    """Desired state that cannot be accepted."""


class GitError(ReconcilerError):
    """The desired side does not answer as it should."""


class GitUnreachable(GitError):
    """The repository cannot be fetched; the last fetched commit stays in force."""


class GitMissing(GitError):
    """The repository answers, but lacks what is to be followed in it: `what` is branch or path."""

    def __init__(self, message: str, next_step: str, what: str) -> None:
        super().__init__(message, next_step)
        self.what = what


class GitCorrupt(GitError):
    """The mirror lacks an object that it should have."""


class StoreError(ReconcilerError):
    """The recorded side does not answer as it should."""


class StoreRefuses(StoreError):
    """The database answers, but does not let us in, is not there, or lacks letters: waiting does not help."""


class LeaseLost(StoreError):
    """This daemon was given up by the others, or leads no more: nothing of what it wanted to write was written."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "it stops what it carries out, which others take up, and begins anew")


class TargetError(ReconcilerError):
    """A target could not carry a deployment out. `output` is what it printed, secrets blanked out."""

    def __init__(self, message: str, next_step: str = "", output: str = "") -> None:
        super().__init__(message, next_step)
        self.output = output


class TryAgainLater(TargetError):
    """Nothing is wrong yet: another attempt follows after the backoff and is not counted as a failure."""


class AttemptFailed(TargetError):
    """The attempt failed: another follows after the backoff until the limit is used up."""


class PersonNeeded(TargetError):
    """No further attempt helps until somebody changes something."""


class Aborted(TargetError):
    """The work was stopped because we asked for it."""


class Superseded(TargetError):
    """A newer act took effect in the same place: this one did nothing, and is not tried again."""
