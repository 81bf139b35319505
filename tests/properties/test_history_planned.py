"""Does the planner keep its promises over thousands of random histories, whatever targets answer?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired import Latest, Tracked
from reconciler.model.deployment import LEGAL
from reconciler.model.plan import Abort, Deploy
from reconciler.planner.recorded import AbortRequest, RetryRequest
from tests.builders import chain
from tests.noted import SHOP
from tests.simulated import Answer, Simulated, completes, refuses_bad
from tests.strategies import (
    BAD,
    ORDINARY,
    PINNING,
    ROUGH,
    TIMED,
    Commit,
    Desk,
    Push,
    Step,
    Wait,
    examples,
    histories,
    steps,
)
from tests.world import CHAIN

MANY = examples(60)
KINDS = (*ORDINARY, *PINNING, *TIMED, *ROUGH, "push")
ALL = histories(*KINDS, apps=[SHOP], most=14)


def played(history: list[Step], answer: Answer | None = None, **spec: object) -> Iterator[Simulated]:
    """The history, settled whenever it is pushed, waits or ends; the state after each settling."""
    found = Simulated(chain(**spec))
    how = answer or completes
    for made in Desk([SHOP]).write([*history, Step("push")]):
        match made:
            case Commit():
                found.note(made)
            case Push():
                found.settle(how)
                yield found
            case Wait(by=by):
                found.settle(how)
                yield found
                found.now += by


def counted(found: Simulated) -> int:
    """How many deployments there are."""
    return sum(map(len, found.deployments.values()))


@MANY
@given(ALL)
def test_planning_again_gives_nothing_to_do(history: list[Step]):
    for found in played(history):
        assert found.plan().empty
        assert not found.active()


@MANY
@given(ALL, st.sets(st.sampled_from(CHAIN)), st.sampled_from(["rollback", "hold"]))
def test_failed_deployments_never_lead_to_endless_new_ones(history: list[Step], where: set[str], on_failure: str):
    found = Simulated(chain(on_failure=on_failure))
    for made in Desk([SHOP]).write([*history, Step("push")]):
        match made:
            case Commit():
                found.note(made)
            case Push():
                found.settle(refuses_bad(found, where))
                assert found.plan().empty
            case Wait(by=by):
                found.settle(refuses_bad(found, where))
                found.now += by


@MANY
@given(ALL)
def test_every_move_is_legal(history: list[Step]):
    for found in played(history):
        for identifier, moves in found.moves.items():
            assert all(after in LEGAL[before] for before, after in pairwise(moves)), identifier


@MANY
@given(ALL, st.floats(0, 1))
def test_nothing_changes_before_the_plan_said_it_would(history: list[Step], part: float):
    for found in played(history):
        wake, now = found.plan().wake_at, found.now
        limit = wake - now if wake else timedelta(days=400)
        found.now = now + limit * part if part < 1 or wake is None else wake - timedelta(microseconds=1)
        if wake is None or found.now < wake:
            assert found.plan().empty, (wake, found.now)
        found.now = now


@MANY
@given(ALL, st.floats(0, 1, exclude_max=True))
def test_what_is_desired_does_not_change_before_the_next_edge(history: list[Step], part: float):
    for found in played(history):
        before, now = found.desired(), found.now
        for name, wanted in before.items():
            edge = wanted.next_edge or now + timedelta(days=400)
            found.now = min(now + (edge - now) * part, edge - timedelta(microseconds=1))
            assert replace(found.desired()[name], at=wanted.at) == wanted
        found.now = now


@MANY
@given(ALL)
def test_a_withdrawn_version_never_runs_where_it_came_by_promotion(history: list[Step]):
    for found in played(history):
        for name, wanted in found.desired().items():
            running = found.runs(name)
            if running is None or found.complaints or not isinstance(wanted.choice, Tracked):
                continue
            taken_back = {part.version for part in running.traffic} & set(found.withdrawn)
            good = [
                d
                for d in found.deployments[name]
                if d.status == "completed"
                and d.traffic
                and d.grounds.chosen_by != "season"
                and not {part.version for part in d.traffic} & set(found.withdrawn)
            ]
            assert not taken_back or not good, found.told()


@MANY
@given(ALL)
def test_what_a_season_chose_is_never_promoted(history: list[Step]):
    *_, found = played(history)
    for name, upstream in zip(CHAIN[1:], CHAIN, strict=False):
        own = {
            part.version
            for above in CHAIN[: CHAIN.index(upstream) + 1]
            for d in found.deployments[above]
            if d.status == "completed" and d.grounds.chosen_by != "season"
            for part in d.traffic
        }
        for d in found.deployments[name]:
            if d.cause == "promotion":
                assert {part.version for part in d.traffic} <= own, found.told()


@MANY
@given(ALL, st.sampled_from([1, 2, 3]))
def test_a_newer_commit_is_never_held_back_by_a_failing_one(history: list[Step], fresh: int):
    where = {"sandbox"}
    found = Simulated(chain())
    desk = Desk([SHOP])
    last = [Step("return"), Step("unpin"), Step("becomes", a=BAD), Step("push"), Step("becomes", a=fresh)]
    for made in desk.write([*history, *last]):
        match made:
            case Commit():
                found.note(made)
            case Push() | Wait():
                found.settle(refuses_bad(found, where))
    found.settle(refuses_bad(found, where))
    wanted = found.desired()["sandbox"]
    if wanted.choice == wanted.base_choice and wanted.chosen_by == "base":
        running = found.runs("sandbox")
        assert running is not None
        assert [part.number for part in running.traffic] == [found.content_number()], found.told()


@MANY
@given(ALL)
def test_one_deployment_a_cause(history: list[Step]):
    """Commits and edges of time bound the number of deployments; settling again makes none."""
    edges = sum({"season": 2, "schedule": 1}.get(step.kind, 0) for step in history)
    commits = 1 + sum(step.kind not in ("push", "wait") for step in history)
    for found in played(history):
        before = counted(found)
        found.settle()
        assert counted(found) == before
        # Each change reaches an environment once; going back from a withdrawn version may come before what follows it.
        assert before <= 2 * len(CHAIN) * (commits + 2 * edges)


def expected(found: Simulated, name: str) -> set[int] | None:
    """The versions that an environment should run, going by what runs upstream; None: a person or a season chose."""
    wanted = found.desired()[name]
    if isinstance(wanted.choice, Latest):
        return {found.content_number()}
    if not isinstance(wanted.choice, Tracked) or wanted.choice != wanted.base_choice:
        return None
    upstream = found.runs(wanted.choice.environment)
    if upstream is None or len(upstream.traffic) != 1 or upstream.grounds.chosen_by == "season":
        return None
    return None if upstream.traffic[0].version in found.withdrawn else {upstream.traffic[0].number}


@MANY
@given(ALL)
def test_every_environment_comes_to_run_what_is_desired(history: list[Step]):
    for found in played(history):
        if found.complaints:
            continue
        for name, wanted in found.desired().items():
            running, numbers = found.runs(name), expected(found, name)
            if numbers is not None:
                assert running is not None
                assert {part.number for part in running.traffic} == numbers, (name, found.told())
            if running is not None:
                assert running.config == wanted.config, (name, found.told())


@MANY
@given(
    histories("content", "extra", "setting", "revert", "revert", "push", apps=[SHOP], most=14),
    st.sets(st.sampled_from(CHAIN)),
)
def test_what_a_target_refuses_stays_out_and_the_rest_goes_on(history: list[Step], where: set[str]):
    found = Simulated(chain())
    for made in Desk([SHOP]).write([*history, Step("push")]):
        if isinstance(made, Commit):
            found.note(made)
            continue
        found.settle(refuses_bad(found, where))
        for name in CHAIN:
            running, numbers = found.runs(name), expected(found, name)
            if running is None or numbers is None:
                continue
            refused = name in where and bool(numbers & found.bad_numbers())
            assert ({part.number for part in running.traffic} == numbers) != refused, (name, found.told())


@MANY
@given(histories("content", "content", "extra", "revert", "revert", apps=[SHOP], most=14))
def test_causes_tell_what_commits_did(history: list[Step]):
    """New content is released, old content restored; a revert rolls back, a revert of a revert releases again."""
    found, seen, said, backward = Simulated(chain(rollback={"limit": 100})), set(), [], {}
    for place, made in enumerate(made for made in Desk([SHOP]).write(history) if isinstance(made, Commit)):
        found.note(made)
        found.settle()
        content = found.version_key()
        backward[place] = made.reverts is not None and not backward.get(made.reverts, False)
        old = content in seen
        seen.add(content)
        forth = made.reverts is not None and not backward[place]
        said.append("release" if not old or forth else "rollback" if backward[place] else "restore")
    assert [d.cause for d in found.deployments["sandbox"]] == said, found.told()
    assert {d.status for d in found.deployments["live"]} == {"completed"}


GROUPED = st.lists(
    st.one_of(
        steps("content", "extra", "setting", "revert", "revert", "break", "mend", "remove", "return", apps=[SHOP]),
        steps("pin", "unpin", "split", "revert", apps=[SHOP], environments=["live"]),
    ),
    min_size=4,
    max_size=10,
)


@MANY
@given(GROUPED, st.lists(st.booleans(), min_size=11, max_size=11))
def test_the_end_does_not_depend_on_how_commits_were_pushed(history: list[Step], pushes: list[bool]):
    single, grouped = Simulated(chain()), Simulated(chain())
    commits = [made for made in Desk([SHOP]).write([*history, Step("return")]) if isinstance(made, Commit)]
    for made, pushed in zip(commits, [*pushes, True], strict=False):
        single.note(made)
        single.settle()
        grouped.note(made)
        if pushed:
            grouped.settle()
    grouped.settle()
    assert single.numbers == grouped.numbers
    for name in CHAIN:
        one, other = single.runs(name), grouped.runs(name)
        assert (one and one.subject) == (other and other.subject), f"{single.told()}\n\n{grouped.told()}"


@MANY
@given(ALL)
def test_a_plan_that_was_written_down_is_not_made_again(history: list[Step]):
    found = Simulated(chain())
    for made in Desk([SHOP]).write(history):
        if isinstance(made, Commit):
            found.note(made)
        elif isinstance(made, Wait):
            found.now += made.by
        plan = found.plan()
        found.carry(plan)
        stopped, begun = ({a.environment for a in plan.actions if isinstance(a, kind)} for kind in (Abort, Deploy))
        again = found.plan()
        if stopped - begun:  # what was only stopped makes room for what is planned next
            assert {a.environment for a in again.actions if isinstance(a, Deploy)} <= stopped, found.told()
            found.carry(again)
            again = found.plan()
        assert [a for a in again.actions if not isinstance(a, Abort)] == [], found.told()
        for one in found.active()[:2]:
            found.start(one)
            found.answer(found.find(one.id), "completed")


@MANY
@given(ALL)
def test_a_settling_brings_few_deployments(history: list[Step]):
    """At most back from what was withdrawn, and on to what is desired now."""
    before = dict.fromkeys(CHAIN, 0)
    for found in played(history):
        for name in CHAIN:
            assert len(found.deployments[name]) - before[name] <= 2, found.told()
            before[name] = len(found.deployments[name])


WISHES = st.sampled_from(["plan", "start", "completed", "failed", "later", "abort", "retry"])


@MANY
@given(ALL, st.lists(st.tuples(WISHES, st.integers(0, 2)), max_size=40))
def test_whatever_happens_in_between_it_settles_and_stays_settled(history: list[Step], wishes: list[tuple[str, int]]):
    found = Simulated(chain())
    happens = iter(wishes)
    for made in Desk([SHOP]).write(history):
        if isinstance(made, Commit):
            found.note(made)
        elif isinstance(made, Wait):
            found.now += made.by
        for _ in range(5):
            happen(found, *next(happens, ("plan", 0)))
    found.settle()
    assert found.plan().empty
    for several in found.deployments.values():
        assert [d.number for d in several] == list(range(1, len(several) + 1))


def happen(found: Simulated, what: str, which: int) -> None:
    """One thing happens to whatever is under way."""
    active = found.active()
    one = active[which % len(active)] if active else None
    ended = [d for several in found.deployments.values() for d in several if d.status in ("failed", "aborted")]
    if what == "plan":
        found.carry(found.plan())
    elif what == "retry" and ended:
        found.retries.append(RetryRequest(deployment=ended[which % len(ended)].id, actor="ann@example.com"))
    elif one is None:
        return
    elif what == "start":
        found.start(one)
    elif what == "abort":
        found.aborts.append(AbortRequest(deployment=one.id, actor="ann@example.com", reason="wrong day"))
    elif what in ("completed", "failed", "later"):
        found.answer(one, what)
