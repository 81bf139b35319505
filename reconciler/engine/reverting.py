"""What does a commit take back, as far as git and the record can tell?

Asks the git room how the commit looks, finds what it names among the commits that were noted, and compares
contents where that is needed as proof. What follows for versions and deployments is `planner.noting`'s
question.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from reconciler.engine.commit import Arrival
from reconciler.engine.contents import Asked
from reconciler.git.claims import Content
from reconciler.git.reverts import Candidate, Direction, direction, look, resolve
from reconciler.git.undoing import undoing
from reconciler.planner.noting import Revert, Reverted
from reconciler.store import commits


@dataclass(frozen=True, slots=True)
class _Noted:
    """Commits that were noted, looked up for the git room; remembers where each one was found."""

    connection: Connection
    found: dict[str, commits.Noted]

    def _as_candidates(self, several: Iterable[commits.Noted]) -> Sequence[Candidate]:
        several = list(several)
        self.found.update({one.id: one for one in several})
        return [Candidate(one.id, (one.subject,)) for one in several]

    def by_id_prefix(self, prefix: str) -> Sequence[Candidate]:
        return self._as_candidates(commits.by_id_prefix(self.connection, prefix))

    def by_pull_request(self, number: int) -> Sequence[Candidate]:
        return self._as_candidates(commits.by_pull_request(self.connection, number))

    def by_title_prefix(self, prefix: str) -> Sequence[Candidate]:
        return self._as_candidates(commits.by_title_prefix(self.connection, prefix))


def revert_of(connection: Connection, arrival: Arrival) -> Revert | None:
    """What a commit says it takes back; None when it says nothing of the kind."""
    commit = arrival.commit
    claims = look(commit.message, len(commit.parents), [one.message for one in arrival.merged])
    if not claims:
        return None
    candidates = _Noted(connection, {})
    ids = resolve(claims, candidates)
    targets = [candidates.found[one] for one in ids if one in candidates.found]
    chain: list[Direction | None] = [_direction(target.direction) for target in targets]
    touched = commits.touched_by(connection, [target.position for target in targets])
    return Revert(
        direction=direction(claims, chain),
        targets=tuple(
            Reverted(commit=target.id, position=target.position, touched=touched[target.position]) for target in targets
        ),
        unresolved=not targets,
    )


def _direction(word: str | None) -> Direction | None:
    return "back" if word == "back" else "forth" if word == "forth" else None


def evidence(arrival: Arrival, one: Asked, revert: Revert) -> Content:
    """How far a commit undoes, within one app, what it says it takes back: lines speak where no file returned."""
    concerned = [target for target in revert.targets if (one.name, "") in target.touched]
    if not concerned:
        return "none"
    taken_back = [arrival.objects.commit(target.commit) for target in concerned]
    bundle, manifest = one.row["bundle"], one.row["path"]

    def of_app(path: str) -> bool:
        return path == manifest or (bundle is not None and path.startswith(f"{bundle}/"))

    return undoing(arrival.objects, taken_back, arrival.commit, of_app).content
