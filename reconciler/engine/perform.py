"""How is one thing carried out on a target?

Acts and reports; decides nothing, records nothing. Idempotent by deployment id, because targets are.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.engine.apart import LINES_KEPT, carry_out
from reconciler.engine.outcomes import Kind, Outcome, TriggersOutcome
from reconciler.errors import Aborted, GitError, PersonNeeded, ReconcilerError, Superseded, TargetError, TryAgainLater
from reconciler.model.app import Triggers
from reconciler.model.gates import Check
from reconciler.model.release import Release
from reconciler.targets import strangers
from reconciler.targets.base import Target, Work
from reconciler.targets.checks import CheckResult

KINDS: dict[type[ReconcilerError], Kind] = {
    TryAgainLater: "later",
    GitError: "later",
    PersonNeeded: "person",
    Aborted: "aborted",
    Superseded: "superseded",
}
FAILED: Kind = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A deployment that has its turn, with everything a target needs."""

    release: Release
    target: Mapping[str, Any]
    """The environment's `spec.target`."""
    stop: threading.Event = field(default_factory=threading.Event)
    hindered: str = ""
    """Why nothing may be put there as the target is declared now; '' where nothing is in the way."""
    stage: str | None = None
    """The stage of a rollout that it is."""
    checks: tuple[Check, ...] | None = None
    """The checks of a rollout's step that are to be run; None: the target is to take the release."""
    under_test: str | None = None
    """The version that they are about."""

    def outcome(
        self, kind: Kind, message: str = "", output: Sequence[str] = (), checked: tuple[CheckResult, ...] = ()
    ) -> Outcome:
        """How it went."""
        return Outcome(
            deployment=self.release.deployment,
            kind=kind,
            message=message,
            output=tuple(output),
            checked=checked,
            stage=self.stage,
            fence=self.release.fence,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggersJob:
    """Trigger settings to be handed to a target."""

    app: str
    environment: str
    digest: str | None
    triggers: Triggers
    target: Mapping[str, Any]
    hindered: str = ""
    fence: int = 0
    lineage: str = ""
    """Where it stands in the order of all that was handed out: see `Work`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What performing needs of the outside: how to make a target, files of a git tree, the daemon's own variables."""

    make_target: Callable[[str, Mapping[str, Any]], Target]
    unpack: Callable[[str, Path], None]
    environ: Mapping[str, str]
    data: Path
    """The daemon's data directory."""
    act: Callable[[Release, Mapping[str, Any], Work, Callable[[], None]], None] = lambda _, __, ___, here: here()
    """Has a release carried out in the best place: see `Hands.act`."""
    expect: Callable[[Sequence[Mapping[str, Any]]], None] = lambda _: None
    """Is told of what will be carried out: see `Hands.expect`."""


def perform(job: Job, surroundings: Surroundings) -> Outcome:
    """Carry a deployment out, and say how it went. Raises nothing."""
    said: list[str] = []
    work = Work(
        unpack=surroundings.unpack,
        stop=job.stop,
        say=lambda line: said.append(strangers.text(line)) if len(said) < LINES_KEPT else None,
        environ=surroundings.environ,
    )
    release = job.release
    try:
        _refuse(job.hindered)
        surroundings.act(
            release,
            job.target,
            work,
            lambda: carry_out(surroundings.make_target(release.environment, job.target), release, work),
        )
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code: whatever it raises is its answer
        return _answer(job, error, said)
    return job.outcome("completed", output=said)


def _answer(job: Job, error: BaseException, said: list[str]) -> Outcome:
    kind = next((kind for raised, kind in KINDS.items() if isinstance(error, raised)), FAILED)
    ours = isinstance(error, ReconcilerError)
    message = f"{'' if ours else 'the target broke: '}{strangers.complaint(error)}"
    # What a failure brings along is the whole output: its lines were said already.
    output = [strangers.text(error.output)] if isinstance(error, TargetError) and error.output else said
    return replace(job.outcome(kind, message, output), ours=isinstance(error, GitError))


def _refuse(hindered: str) -> None:
    """Raises TryAgainLater: it goes on once the manifests are mended, and is no failure of what is released."""
    if hindered:
        raise TryAgainLater(hindered, "mend spec.target of one of the two Environments")


def hand_over_triggers(job: TriggersJob, surroundings: Surroundings) -> TriggersOutcome:
    """Give a target its routes, domains and crons, and say how it went. Raises nothing."""
    work = Work(
        unpack=surroundings.unpack,
        stop=threading.Event(),
        say=lambda _line: None,
        environ=surroundings.environ,
        fence=job.fence,
        lineage=job.lineage,
    )
    error, later = None, False
    try:
        _refuse(job.hindered)
        surroundings.make_target(job.environment, job.target).triggers(job.app, job.triggers, work)
    except (Exception, SystemExit) as wrong:  # noqa: BLE001 - a target is a stranger's code
        error, later = strangers.complaint(wrong), isinstance(wrong, TryAgainLater)
    where = {"app": job.app, "environment": job.environment}
    return TriggersOutcome(**where, digest=job.digest, fence=job.fence, error=error, later=later)
