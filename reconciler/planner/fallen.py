"""Who of a group went back from a move, and who is to follow?

A move is known by its mark, `Grounds.move`, on the deployments that entered together. A member went back from it where
what it runs now came by a rollback that left what it had entered with. Read from what is recorded alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.desired import Desired
from reconciler.model.deployment import Allotment, Deployment
from reconciler.model.plan import Refused
from reconciler.model.traffic import versions_in
from reconciler.model.version import spoken
from reconciler.planner.answer import Aim
from reconciler.planner.causes import is_pin
from reconciler.planner.joint import Back, Joint
from reconciler.planner.promotions import still_good
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A member, and what it would do alone."""

    name: str
    wanted: Desired
    record: EnvironmentRecord
    app: RecordedApp
    alone: Aim | None

    @property
    def turning(self) -> bool:
        """Whether it is about to go back by itself."""
        return self.alone is not None and self.alone.urgent


def _own(record: EnvironmentRecord) -> list[Deployment]:
    """What reached the environment or is on its way, by its own choice: newest first."""
    there = [d for d in record.recent if d.active or d.started_at is not None]
    return [d for d in there if d.grounds.chosen_by != "season" and d.traffic]


def _run(line: Sequence[Deployment], wish: frozenset[str]) -> list[Deployment]:
    """The newest deployments in a row that hold these versions: they came once, and had settings changed since."""
    found: list[Deployment] = []
    for deployment in line:
        if versions_in(deployment.traffic) == wish:
            found.append(deployment)
        elif found:
            break
    return found


def moved(record: EnvironmentRecord, wish: frozenset[str]) -> Deployment | None:
    """The deployment with which these versions entered in a move; None if they came alone, or by another try."""
    for deployment in _run(_own(record), wish):
        if deployment.cause == "retry":
            return None
        if deployment.grounds.move:
            return deployment
    return None


def standing_mark(record: EnvironmentRecord) -> Deployment | None:
    """The deployment with which what is here entered in a move."""
    line = _own(record)
    return moved(record, versions_in(line[0].traffic)) if line else None


def _return(record: EnvironmentRecord) -> tuple[Deployment, Deployment] | None:
    """The rollback that brought what is here, and the deployment that it left."""
    line = _own(record)
    run = _run(line, versions_in(line[0].traffic)) if line else []
    back = next((d for d in run if d.goes_back), None)
    if back is None:
        return None
    named = next((d for d in record.recent if d.id == back.rolled_back_from), None)
    older = next((d for d in line if d.number < back.number), None)
    left = named or older
    return (back, left) if left else None


class Moves:
    """Who of some apps that move together entered in which move, and who of them went back from it since.

    Each move is looked at once, however many ask about it.
    """

    def __init__(self, traces: Iterable[Trace]) -> None:
        self._entered: dict[str, list[tuple[Trace, Deployment]]] = {}
        self._gone: dict[str, list[Trace]] = {}
        for one in traces:
            newest = {d.grounds.move: d for d in reversed(_own(one.record)) if d.grounds.move}
            for move, entered in newest.items():
                self._entered.setdefault(move, []).append((one, entered))

    def gone_back(self, mark: Deployment) -> Sequence[Trace]:
        """Those that moved together with `mark` and went back since, or are about to.

        First who went back by itself: it is suspect or withdrawn, or else it was the first.
        """
        move = mark.grounds.move
        if move not in self._gone:
            gone = [(one, entered) for one, entered in self._entered.get(move, ()) if _went_back(one, entered)]
            self._gone[move] = [one for one, _ in sorted(gone, key=_order)]
        return self._gone[move]

    def left_by(self, one: Trace, mark: Deployment) -> Trace | None:
        """Who of the others was the first that went back; None if they all stay."""
        return next((other for other in self.gone_back(mark) if other.name != one.name), None)


def _went_back(one: Trace, entered: Deployment) -> bool:
    wish = versions_in(entered.traffic)
    if versions_in(_own(one.record)[0].traffic) == wish:
        return one.turning and one.alone is not None and versions_in(one.alone.subject.traffic) != wish
    returned = _return(one.record)
    return returned is not None and versions_in(returned[1].traffic) == wish


def _order(gone: tuple[Trace, Deployment]) -> tuple[bool, str, str]:
    one, entered = gone
    bad = bool(versions_in(entered.traffic) & (one.record.suspicions.keys() | one.app.withdrawn.keys()))
    returned = _return(one.record)
    since = returned[0].created_at.isoformat() if returned and not one.turning else ""
    return (not (bad or one.turning or is_pin(one.wanted)), since, one.name)


def ways_back(one: Trace, moves: Moves, group: str) -> Joint | None:
    """Where a member follows others that went back; None where it does not."""
    line = _own(one.record)
    if not line or one.turning or is_pin(one.wanted) or one.wanted.chosen_by == "season":
        return None
    if one.alone is not None and one.alone.why.cause == "retry":
        return None
    top = line[0]
    if top.goes_back and top.status != "completed":
        return _half_way(one, top, moves, group)
    mark = None if top.status == "failed" else standing_mark(one.record)
    culprit = moves.left_by(one, mark) if mark else None
    if mark is None or culprit is None:
        return None
    before = _before(one, mark)
    if before is None:
        detail = (
            f"{culprit.name} went back from what {spoken(top.traffic)} entered with, in the group {group}, and "
            f"nothing else ran here before: it stays; a newer version or a pin decides"
        )
        return Joint(refused=_refused(one, detail))
    return Joint(back=_follow(culprit, top, before.traffic, group))


def _before(one: Trace, mark: Deployment) -> Deployment | None:
    """What ran well before the move, and holds nothing that was withdrawn or went wrong here."""
    entered = versions_in(mark.traffic)
    for good in one.record.completed:
        by_itself = good.number <= mark.number and good.grounds.chosen_by != "season"
        if by_itself and versions_in(good.traffic) != entered and still_good(good, one.app, one.record):
            return good
    return None


def _half_way(one: Trace, top: Deployment, moves: Moves, group: str) -> Joint | None:
    """A way back that was begun goes on; one that failed waits for a person."""
    returned = _return(one.record)
    mark = moved(one.record, versions_in(returned[1].traffic)) if returned else None
    culprit = moves.left_by(one, mark) if mark else None
    if mark is None or culprit is None:
        return None
    if top.active:
        reason = Back(
            traffic=top.traffic,
            cause=top.cause,
            reason=top.reason,
            commit=top.commit,
            deployed_by=top.deployed_by,
            reverts=top.reverts,
            left=mark.id,
        )
        return Joint(back=reason)
    detail = (
        f"the way back to {spoken(top.traffic)}, together with {culprit.name} of the group {group}, did not "
        f"complete (deployment {top.number}): look at what runs there; a newer version, a pin, or "
        f"`reconciler retry {mark.id}` decides"
    )
    return Joint(refused=_refused(one, detail), lost=True)


def _follow(culprit: Trace, left: Deployment, target: tuple[Allotment, ...], group: str) -> Back:
    returned = _return(culprit.record)
    if culprit.turning and culprit.alone is not None:
        why = culprit.alone.why
        cause, reason, commit, by, reverts = why.cause, why.reason, why.commit, why.deployed_by, why.reverts
    else:
        assert returned is not None
        done = returned[0]
        cause, reason, commit, by, reverts = done.cause, done.reason, done.commit, done.deployed_by, done.reverts
    said = f"{culprit.name} went back ({reason}), and {spoken(left.traffic)} moved with it in the group {group}"
    return Back(
        traffic=target,
        cause=cause,
        reason=f"{said}: back to {spoken(target)}",
        commit=commit,
        deployed_by=by,
        reverts=reverts,
        left=left.id,
    )


def _refused(one: Trace, detail: str) -> Refused:
    return Refused(app=one.name, environment=one.record.environment, rule="rollback", detail=detail)
