"""How is a check carried out: of a gate, or of a rollout's step?

Acts and reports; decides nothing, records nothing. What a check is run for, and what follows from how it ends, is
asked elsewhere.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.engine.outcomes import CheckOutcome, Gate, Kind, Outcome
from reconciler.engine.perform import Job, Surroundings
from reconciler.model.gates import Check
from reconciler.model.release import Release
from reconciler.targets import strangers
from reconciler.targets.base import Work
from reconciler.targets.checks import CheckResult, run_check


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckJob:
    """One check of a gate, on what is to enter."""

    key: str
    check: Check
    release: Release
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def gate(self) -> Gate:
        """The gate that it belongs to: its checks run one after another."""
        return self.release.app, self.release.environment, self.key


def check_gate(job: CheckJob, surroundings: Surroundings) -> CheckOutcome:
    """Run a check of a gate to its end. Raises nothing."""
    app, environment, key = job.gate
    return CheckOutcome(
        app=app, environment=environment, key=key, result=_run(job.check, job.release, None, job.stop, surroundings)
    )


def check_step(job: Job, surroundings: Surroundings) -> Outcome:
    """Run the checks of a rollout's step, one after another, until one does not pass. Raises nothing."""
    ended: list[CheckResult] = []
    for check in job.checks or ():
        result = _run(check, job.release, job.under_test, job.stop, surroundings)
        reported = check.mode == "report" and result.verdict not in ("passed", "stopped")
        ended.append(replace(result, message=f"{result.message} (reported only)") if reported else result)
        if result.verdict != "passed" and not reported:
            said = f"the check {check.name}: {result.message}"
            return job.outcome(_KINDS[result.verdict], said, checked=tuple(ended))
    return job.outcome("completed", checked=tuple(ended))


# A check that failed is not tried again: it may say that the new version does harm.
_KINDS: Mapping[str, Kind] = {"failed": "person", "later": "later", "stopped": "aborted"}


def _run(
    check: Check, release: Release, version: str | None, stop: threading.Event, surroundings: Surroundings
) -> CheckResult:
    work = Work(unpack=surroundings.unpack, stop=stop, say=_silent, environ=surroundings.environ)
    try:
        return run_check(check, release, work, surroundings.data, version)
    except Exception as wrong:  # noqa: BLE001 - whatever goes wrong is the answer, or the check would never end
        return CheckResult(check.name, "failed", f"it could not be run: {strangers.complaint(wrong)}")


def _silent(_line: Any) -> None:
    """A check's output comes with its result."""
