"""Does a target keep what `base` asks for? The suite that every target passes, ours and a stranger's.

It runs under pytest without importing it. In a test module:

    from reconciler.targets.contract import Place, TargetContract

    class TestPigeon(TargetContract):
        @pytest.fixture
        def place(self, tmp_path):
            settings = {"loft": str(tmp_path / "loft")}
            return Place(PigeonTarget, settings, tmp_path / "data")

A target that is the front of something remote points its settings at a stand-in of that, fresh for each test. One
that cannot tell an older act from a newer one says so (`refuses_older=False`): daemons that were away for longer than
their lease may then put back what others have replaced since, until the drift is seen.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from reconciler.errors import Aborted, GitUnreachable, PersonNeeded, ReconcilerError
from reconciler.model.app import Triggers
from reconciler.targets import rehearsal
from reconciler.targets.rehearsal import Rehearsal, release, version
from reconciler.targets.trying import Countdown, Counted, Place, around, deploy, dies, raised, refused, seen, tried

__all__ = ["Place", "TargetContract"]

MOST_KILLS = 300
TRIGGERS = Triggers(routes=("book.example.com/*",), domains=("example.com",), crons=("*/5 * * * *",))
BAD_NAMES = (
    "",
    ".",
    "..",
    "../outside",
    "a/b",
    "/etc",
    "-rf/..",
    "a\0b",
    "a\nb",
    "$(touch pwned)",
    "ä",
    "a" * 300,
)


class TargetContract:
    """Give it a fixture `place` that returns a `Place`."""

    def test_right_settings_bring_no_complaint(self, place: Place) -> None:
        assert place.type.check(place.settings) == []

    def test_a_wrong_setting_is_complained_about_and_refused(self, place: Place) -> None:
        settings = {**place.settings, "no-such-setting": 1}
        complaints = place.type.check(settings)
        assert len(complaints) == 1
        assert "no-such-setting" in complaints[0]
        raised(PersonNeeded, lambda: place.type("live", settings, place.data))

    def test_nothing_runs_at_first(self, place: Place) -> None:
        assert place.target().observe("booking") is None

    def test_what_was_deployed_is_seen(self, place: Place) -> None:
        deploy(place, release("d1", version(1)))
        assert seen(place) == ("d1", {1: 100})

    def test_an_app_without_files_is_deployed(self, place: Place) -> None:
        deploy(place, release("d1", version(1, bundle=None)))
        assert seen(place) == ("d1", {1: 100})

    def test_the_same_deployment_again_changes_nothing(self, place: Place) -> None:
        counted = Counted(place)
        target = place.target()
        for _ in range(3):
            target.deploy(release("d1", version(1)), counted.work())
        place.target().deploy(release("d1", version(1)), counted.work())
        assert counted.effects() == 1
        assert seen(place) == ("d1", {1: 100})

    def test_an_older_version_comes_back_under_a_new_deployment(self, place: Place) -> None:
        for deployment, number in (("d1", 1), ("d2", 2), ("d3", 1)):
            deploy(place, release(deployment, version(number)))
            assert seen(place) == (deployment, {number: 100})

    def test_a_split_is_seen_with_its_shares(self, place: Place) -> None:
        deploy(place, release("d1", version(1, 90), version(2, 10)))
        assert seen(place) == ("d1", {1: 90, 2: 10})

    def test_a_version_may_run_without_a_share(self, place: Place) -> None:
        deploy(place, release("d1", version(1, 100), version(2, 0)))
        assert seen(place) == ("d1", {1: 100, 2: 0})

    def test_the_steps_of_a_rollout_are_one_deployment(self, place: Place) -> None:
        deploy(place, release("d1", version(1)))
        for share in (10, 50, 90):
            deploy(place, release("d2", version(1, 100 - share), version(2, share)))
            assert seen(place) == ("d2", {1: 100 - share, 2: share})
        deploy(place, release("d2", version(2)))
        assert seen(place) == ("d2", {2: 100})

    def test_a_retired_app_runs_no_longer(self, place: Place) -> None:
        deploy(place, release("d1", version(1)))
        for _ in range(2):
            place.target().retire(release("d2"), Rehearsal().work())
            assert place.target().observe("booking") is None
        deploy(place, release("d3", version(1)))
        assert seen(place) == ("d3", {1: 100})

    def test_what_never_ran_can_be_retired(self, place: Place) -> None:
        place.target().retire(release("d1"), Rehearsal().work())
        assert place.target().observe("booking") is None

    def test_an_empty_traffic_is_not_deployed(self, place: Place) -> None:
        raised(ReconcilerError, lambda: deploy(place, release("d1")))

    def test_triggers_need_no_deployment_and_are_none(self, place: Place) -> None:
        place.target().triggers("booking", TRIGGERS, Rehearsal().work())
        assert place.target().observe("booking") is None
        deploy(place, release("d1", version(1)))
        for triggers in (TRIGGERS, TRIGGERS, Triggers()):
            place.target().triggers("booking", triggers, Rehearsal().work())
            assert seen(place) == ("d1", {1: 100})

    def test_apps_do_not_disturb_each_other(self, place: Place) -> None:
        target = place.target()
        apps = [f"app-{number}" for number in range(6)]

        def release_twice(app: str) -> None:
            for number in (1, 2):
                target.deploy(release(f"{app}-{number}", version(number), app=app), Rehearsal().work())

        with ThreadPoolExecutor(len(apps)) as threads:
            list(threads.map(release_twice, apps))
        assert [seen(place, app) for app in apps] == [(f"{app}-2", {2: 100}) for app in apps]

    def test_an_older_deployment_changes_nothing_any_more(self, place: Place) -> None:
        deploy(place, release("d1", version(1), number=1))
        deploy(place, release("d2", version(2), number=2))
        refused(place, release("d1", version(1), number=1, fence=9))
        assert not place.refuses_older or seen(place) == ("d2", {2: 100})

    def test_what_was_retired_is_not_put_back_by_an_older_deployment(self, place: Place) -> None:
        place.target().retire(release("d2", number=2), Rehearsal().work())
        refused(place, release("d1", version(1), number=1))
        assert not place.refuses_older or place.target().observe("booking") is None

    def test_a_newer_deployment_is_not_retired_by_an_older_act(self, place: Place) -> None:
        deploy(place, release("d2", version(2), number=2))
        refused(place, release("d1", number=1))
        assert not place.refuses_older or seen(place) == ("d2", {2: 100})

    def test_a_deployment_handed_out_again_is_one_deployment_and_goes_on(self, place: Place) -> None:
        counted = Counted(place)
        for fence in (1, 2):
            place.target().deploy(release("d1", version(1), fence=fence), counted.work())
        assert counted.effects() == 1
        deploy(place, release("d1", version(1, 90), version(2, 10), fence=2))
        refused(place, release("d1", version(1, 50), version(2, 50), fence=1))
        assert not place.refuses_older or seen(place) == ("d1", {1: 90, 2: 10})

    def test_numbers_of_another_history_say_nothing(self, place: Place) -> None:
        deploy(place, release("d8", version(2), number=8, fence=3, lineage="before the backup came back"))
        deploy(place, release("d1", version(1), number=1, fence=1, lineage="after it"))
        assert seen(place) == ("d1", {1: 100})

    def test_an_older_act_that_was_under_way_ends_before_a_newer_one_or_does_nothing(self, place: Place) -> None:
        newer: list[str] = []

        def meanwhile() -> None:
            if not newer:
                newer.append("tried")
                newer.append(tried(lambda: deploy(place, release("d2", version(2), number=2))))

        older = tried(lambda: place.target().deploy(release("d1", version(1), number=1), Rehearsal().work(meanwhile)))
        if newer[-1] == "later":
            deploy(place, release("d2", version(2), number=2))
        else:
            assert not place.refuses_older or older == "superseded"
        assert not place.refuses_older or seen(place) == ("d2", {2: 100})

    def test_older_triggers_change_nothing_any_more(self, place: Place) -> None:
        for fence in (1, 3, 3):
            place.target().triggers("booking", TRIGGERS, Rehearsal().work(fence=fence))
        older = tried(lambda: place.target().triggers("booking", Triggers(), Rehearsal().work(fence=2)))
        assert not place.refuses_older or older == "superseded"

    def test_an_abort_before_the_start_leaves_what_runs(self, place: Place) -> None:
        deploy(place, release("d1", version(1)))
        stop = threading.Event()
        stop.set()
        raised(Aborted, lambda: place.target().deploy(release("d2", version(2)), Rehearsal().work(stop=stop)))
        assert seen(place) == ("d1", {1: 100})

    def test_an_abort_in_the_middle_ends_as_aborted_or_as_done(self, place: Place) -> None:
        deploy(place, release("d1", version(1)))
        stop = threading.Event()
        try:
            place.target().deploy(release("d2", version(2)), Rehearsal().work(stop.set, stop))
        except Aborted:
            assert seen(place) == ("d1", {1: 100})
        else:
            assert seen(place) == ("d2", {2: 100})

    def test_git_that_does_not_answer_leaves_what_runs(self, place: Place) -> None:
        deploy(place, release("d1", version(1)))
        try:
            place.target().deploy(release("d2", version(2)), Rehearsal().work(_git_is_away))
        except GitUnreachable:
            assert seen(place) == ("d1", {1: 100})
            deploy(place, release("d2", version(2)))
        assert seen(place) == ("d2", {2: 100})

    def test_killed_anywhere_the_next_start_ends_as_undisturbed(self, place: Place) -> None:
        deploy(place, release("d1", version(1)))
        for kill_at in range(1, MOST_KILLS):
            new = release(f"e{kill_at}", version(1, 30), version(2, 70))
            killed = dies(partial(place.target().deploy, new, Rehearsal().work(Countdown(kill_at))))
            deploy(place, new)
            assert seen(place) == (f"e{kill_at}", {1: 30, 2: 70})
            if not killed:
                return
        raise AssertionError(f"the target looks at its surroundings more than {MOST_KILLS} times")

    def test_names_that_are_no_names_are_refused(self, place: Place) -> None:
        target, work = place.target(), Rehearsal().work()
        for name in BAD_NAMES:
            for call in (
                lambda name=name: target.deploy(release("d1", version(), app=name), work),
                lambda name=name: target.retire(release("d1", app=name), work),
                lambda name=name: target.triggers(name, TRIGGERS, work),
                lambda name=name: target.observe(name),
            ):
                wrong = raised(ReconcilerError, call)
                assert wrong.next_step

    def test_what_people_write_stays_text(self, place: Place) -> None:
        before = around(place)
        awkward = "'; touch pwned; $(touch pwned) `touch pwned` \" \\ %s {0} ∞"
        config = {
            awkward: awkward + "\n\r\t\x1b[31m\ud800",
            "": None,
            "nested": {"list": [1, 2.5, True, {"deep": [[]]}]},
            "long": "x" * 20_000,
        }
        deploy(place, release("d1", version(1, message=awkward, name="1.0.0-rc.1+x", config=config)))
        assert seen(place) == ("d1", {1: 100})
        assert around(place) == before

    def test_a_bundle_may_hold_any_file(self, place: Place) -> None:
        before = around(place)
        deploy(place, release("d1", version(1, bundle="hostile")))
        deploy(place, release("d1", version(1, bundle="hostile")))
        assert seen(place) == ("d1", {1: 100})
        assert around(place) == before

    def test_a_link_out_of_the_bundle_is_refused_or_does_no_harm(self, place: Place) -> None:
        before = around(place)
        deploy(place, release("d1", version(1)))
        for number, files in enumerate(rehearsal.LEADING_OUT.values(), start=2):
            work = Rehearsal(bundles={"leading out": files}).work()
            try:
                place.target().deploy(release(f"d{number}", version(number, bundle="leading out")), work)
            except PersonNeeded:
                assert seen(place) == ("d1", {1: 100})
                continue
            deploy(place, release("d1", version(1)))
        assert around(place) == before

    def test_a_secret_is_never_said(self, place: Place) -> None:
        lent = Rehearsal()
        target = place.target()
        target.deploy(release("d1", version(1, secret=rehearsal.REFERENCE)), lent.work())
        assert seen(place) == ("d1", {1: 100})
        texts = [*lent.said, repr(target), repr(target.observe("booking")), repr(lent.work())]
        assert [text for text in texts if rehearsal.SECRET in text] == []

    def test_a_secret_without_a_value_is_named_or_not_needed(self, place: Place) -> None:
        message = ""
        try:
            deploy(place, release("d1", version(1, secret=rehearsal.NOWHERE)))
        except PersonNeeded as wrong:
            message = str(wrong)
        observed = place.target().observe("booking")
        assert ("NOT_SET_ANYWHERE" in message) if observed is None else not message

    def test_closing_twice_is_no_mistake(self, place: Place) -> None:
        target = place.target()
        target.close()
        target.close()


def _git_is_away() -> None:
    raise GitUnreachable("the repository does not answer", "it is fetched again later")
