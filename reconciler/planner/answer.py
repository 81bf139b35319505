"""What is answered when it is asked what one environment is to release: an aim at most, and what is said besides.

Values alone; how the answer is found is `aim`'s question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.desired import earliest
from reconciler.model.deployment import Grounds, Subject, goes_back
from reconciler.model.plan import Lift, Refused, RunChecks, Waiting
from reconciler.planner.causes import Why
from reconciler.planner.gates import Passage
from reconciler.planner.promotions import Besides


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to run here, and the words for getting there."""

    subject: Subject
    grounds: Grounds
    why: Why
    rolled_back_from: str | None = None
    remarks: tuple[str, ...] = ()
    """How its gates were passed, where that is worth remembering."""

    @property
    def urgent(self) -> bool:
        """Going back waits for nothing."""
        return goes_back(self.why.cause, self.rolled_back_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """At most one aim, and what is to be said besides."""

    aim: Aim | None = None
    waiting: tuple[Waiting, ...] = ()
    refused: tuple[Refused, ...] = ()
    checks: RunChecks | None = None
    lift: Lift | None = None
    wake_at: datetime | None = None
    staying: Aim | None = None
    """Where a freeze holds back what would enter: what is here, with today's settings."""

    def besides(self, said: Besides | Passage) -> Answer:
        """This answer, with what is to be said of candidates that wait at their gates."""
        if not (said.waiting or said.refused or said.checks or said.wake_at):
            return self
        return replace(
            self,
            waiting=(*self.waiting, *said.waiting),
            refused=(*self.refused, *said.refused),
            checks=self.checks or said.checks,
            wake_at=earliest([self.wake_at, said.wake_at]),
        )

    def refusing(self, *refused: Refused) -> Answer:
        """This answer, with what is refused besides."""
        return replace(self, refused=(*self.refused, *refused)) if refused else self
