"""What waits is not asked again and again: situations in which the daemon once took turns without a rest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.simulation.moments import SECOND
from tests.simulation.world import World, sort_of, world
from tests.strategies import Commit, Step

HOUR = 3600 * SECOND


@contextmanager
def begun(**more: object) -> Iterator[World]:
    """A world with two apps, at rest, in which nothing happens by itself."""
    plain = sort_of(2, 1)
    environments = {name: {"track": spec["track"]} for name, spec in plain.habits.environments.items()}
    habits = replace(plain.habits, apps=2, commits_a_day=0.001, environments=environments, needs=False, bad=False)
    sort = {"daemons": 1, "lease": None, "faults_a_day": 0.0, "wishes_a_day": 0.0, "twin": False, **more}
    with world(replace(plain, habits=habits, **sort)) as made:
        made.begin()
        made.moments.run(HOUR)
        yield made


def push(made: World, kind: str) -> None:
    """A commit of this kind for the first app."""
    step = made.author._step(Step(kind, made.author.apps[0]))
    assert isinstance(step, Commit)
    made.author._push([step])


def turns(made: World, what: Callable[[], None], hours: int = 1) -> int:
    """So many turns follow from this."""
    before = made.around.turns
    what()
    made.moments.run(made.moments.t + hours * HOUR)
    return made.around.turns - before


def test_a_repository_that_does_not_answer_right_after_it_did():
    with begun() as made:

        def gone():
            made.around.machines[0].git("gone")
            made.around.nudge()  # long before the next poll

        assert 5 < turns(made, gone) < 60


def test_an_attempt_that_is_due_while_all_are_busy():
    with begun(workers=1) as made:
        made.estate.trouble, made.estate.kinds = 1.0, ("later",)
        push(made, "many")
        made.moments.run(made.moments.t + HOUR // 2)

        def hangs():
            made.estate.kinds = ("hangs",)

        assert turns(made, hangs, hours=3) < 300


def test_a_branch_that_is_due_again_while_it_is_being_written():
    with begun() as made:
        push(made, "content")
        made.moments.run(made.moments.t + HOUR)
        made.around.machines[0].git("gone")
        persons = made.persons
        persons._random.choice = lambda several: several[0]  # type: ignore[method-assign]
        persons.wish("rollback")
        made.moments.run(made.moments.t + HOUR)

        def slow():
            made.around.machines[0].git("slow")

        assert turns(made, slow) < 60
        assert any(name.startswith("reconciler/") for name in made.repository.branches)
