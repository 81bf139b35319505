"""What is found between manifests that are each right by themselves?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from reconciler.manifest import (
    Known,
    check_app,
    check_depends,
    check_environments,
    check_group,
    check_season,
    check_sense,
    check_twice,
    known_from,
    parse,
)
from reconciler.model.environment import Environment
from tests.builders import app, chain, environment, group, season

CHAIN = chain()


def known(environments: Mapping[str, Environment] = CHAIN) -> Known:
    """The chain sandbox → pre-release → live, two apps and a resource."""
    apps, resources = {"shop", "payments"}, {"calendar": "kv"}
    names = {"App": apps, "Resource": set(resources)}
    return Known(environments, apps.__contains__, resources.get, names=lambda kind: names[kind])


def test_what_cannot_be_meant_is_told_before_it_is_merged_and_carried_out_where_it_is_in_force() -> None:
    """What was taken in once is taken in again when the history is lived through: versions and numbers depend on it."""
    experiment = {"control": "v1", "variant": "v1", "percent": 20, "until": "2050-01-01T00:00:00Z"}
    shop = app(
        version="v2",
        environments={"live": {"experiment": experiment}},
        bindings=[{"name": "C", "type": "d1", "resource": "calendar"}],
    )
    assert check_app(shop, known()) == []
    assert [(problem.field, problem.message) for problem in check_sense(shop, known())] == [
        (("spec", "version"), "v2 is how version number 2 is called"),
        (("spec", "bindings", 0, "type"), "the resource calendar is of type kv, not d1"),
        (("spec", "environments", "live", "experiment", "variant"), "v1 is compared with itself"),
    ]
    assert check_sense(app(version="v2.0", environments={"live": {}}), known()) == []


def test_an_app_that_refers_to_what_exists_is_right() -> None:
    shop = app(
        environments={"sandbox": {}, "live": {"track": "sandbox"}},
        depends_on=["payments"],
        bindings=[{"name": "CALENDAR", "type": "kv", "resource": "calendar"}],
    )
    assert check_app(shop, known()) == []


def test_an_environment_passes_by_one_that_the_app_is_not_in() -> None:
    # live tracks pre-release by default, where the app is not: it follows the chain further up, to sandbox.
    assert check_app(app(environments=("sandbox", "live")), known()) == []
    assert check_app(app(environments=("live",)), known()) == []


def test_references_to_nothing_are_found_with_the_nearest_name() -> None:
    shop = app(
        environments={"sandbx": {}, "live": {"track": "sandbox"}, "sandbox": {"track": "latst"}},
        depends_on=["payments", "payment"],
        bindings=[{"name": "CALENDAR", "type": "kv", "resource": "calendr"}],
    )
    assert [(one.field, one.message, one.remedy) for one in check_app(shop, known())] == [
        (("spec", "depends_on", 1), "there is no app payment", "did you mean payments?"),
        (("spec", "bindings", 0, "resource"), "there is no resource calendr", "did you mean calendar?"),
        (("spec", "environments", "sandbx"), "there is no environment sandbx", "did you mean sandbox?"),
        (("spec", "environments", "sandbox", "track"), "there is no environment latst", "did you mean latest?"),
    ]


def test_where_nothing_is_like_it_what_there_is_is_listed() -> None:
    assert [one.remedy for one in check_app(app(environments=("xyz",)), known())] == [
        "there are live, pre-release and sandbox"
    ]
    nothing = Known({}, lambda name: True, lambda name: "")
    assert [one.remedy for one in check_app(app(environments=("live",)), nothing)] == ["declare the environment first"]


def test_an_entry_that_tracks_where_the_app_is_not_is_found() -> None:
    shop = app(environments={"sandbox": {}, "live": {"track": "pre-release"}})
    (found,) = check_app(shop, known())
    assert found.field == ("spec", "environments", "live", "track")
    assert found.message == "shop is not in the environment pre-release, so nothing completes there"
    assert found.remedy == "add it to environments, or track latest, sandbox or live"


def test_the_tracks_of_a_schedule_are_looked_at_too() -> None:
    later = [{"at": "2026-12-01T00:00Z", "track": "pre-release"}, {"at": "2026-12-02T00:00Z", "track": "lve"}]
    shop = app(environments={"sandbox": {"schedule": later}, "live": {}})
    assert [one.field for one in check_app(shop, known())] == [
        ("spec", "environments", "sandbox", "schedule", 0, "track"),
        ("spec", "environments", "sandbox", "schedule", 1, "track"),
    ]


def test_entries_that_track_each_other_are_found_once() -> None:
    shop = app(environments={"sandbox": {"track": "live"}, "live": {"track": "sandbox"}})
    (found,) = check_app(shop, known())
    assert found.message == "this track leads back to itself: sandbox → live → sandbox"


def test_a_circle_through_an_environment_that_the_app_is_not_in_is_found() -> None:
    # live tracks pre-release, where the app is not, and so sandbox.
    (found,) = check_app(app(environments={"sandbox": {"track": "live"}, "live": {}}), known())
    assert found.message == "this track leads back to itself: sandbox → live → sandbox"


def test_a_circle_that_a_schedule_closes_is_found_with_its_moment() -> None:
    later = [{"at": "2026-12-01T00:00", "timezone": "UTC", "track": "live"}]
    (found,) = check_app(app(environments={"sandbox": {"schedule": later}, "live": {}}), known())
    assert found.message == ("this track leads back to itself from 2026-12-01T00:00:00Z on: sandbox → live → sandbox")


@pytest.mark.parametrize(
    "entries",
    [
        {"sandbox": {"track": "live"}, "live": {"version": "1.4.0"}},
        {"sandbox": {"track": "live"}, "live": {"track": "latest"}},
        {
            "sandbox": {"track": "live", "schedule": [{"at": "2026-12-01T00:00Z", "config": {}}]},
            "live": {"version": "1"},
        },
        {
            "sandbox": {"schedule": [{"at": "2026-12-01T00:00Z", "track": "live"}]},
            "live": {"schedule": [{"at": "2026-12-01T00:00Z", "version": "1.4.0"}]},
        },
    ],
)
def test_what_only_looks_like_a_circle_is_right(entries: dict[str, object]) -> None:
    assert check_app(app(environments=entries), known()) == []


def test_a_circle_of_environments_is_theirs_and_not_every_apps() -> None:
    round_about = {"sandbox": environment("sandbox", "live"), "live": environment("live", "sandbox")}
    assert check_app(app(), known(round_about)) == []
    assert [(one.name, one.message) for one in check_environments(round_about)] == [
        ("sandbox", "this track leads back to itself: sandbox → live → sandbox"),
        ("live", "this track leads back to itself: live → sandbox → live"),
    ]


def test_environments_track_what_exists() -> None:
    assert check_environments(CHAIN) == []
    several = {
        "self": environment("self", "self"),
        "into": environment("into", "self"),
        "lost": environment("lost", "slf"),
        "held": environment("held", "unread"),
    }
    assert [(one.name, one.field, one.message, one.remedy) for one in check_environments(several, ["unread"])] == [
        ("self", ("spec", "track"), "this track leads back to itself: self → self", "let one of them track latest"),
        ("lost", ("spec", "track"), "there is no environment slf", "did you mean self?"),
    ]


def test_seasons_refer_to_what_exists() -> None:
    right = season("winter", "2026-12-01", "2027-01-01", apps=["shop"], environments=["live"])
    wrong = season("winter", "2026-12-01", "2027-01-01", apps=["shop", "shp"], environments=["live", "liv"])
    labelled = season("winter", "2026-12-01", "2027-01-01", apps={"team": "web"})
    assert check_season(right, known()) == []
    assert check_season(labelled, known()) == []
    assert [(one.field, one.remedy) for one in check_season(wrong, known())] == [
        (("spec", "environments", 1), "did you mean live?"),
        (("spec", "apps", 1), "did you mean shop?"),
    ]


@pytest.mark.parametrize(
    ("depends", "message"),
    [
        ({"a": []}, None),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, None),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, None),
        ({"a": ["gone"]}, None),
        ({"a": ["a"]}, "a depends on itself: a → a"),
        ({"a": ["x", "b"], "b": ["c"], "c": ["a"]}, "a depends on itself: a → b → c → a"),
    ],
)
def test_circles_of_dependencies(depends: dict[str, Sequence[str]], message: str | None) -> None:
    found = check_depends("a", lambda name: depends.get(name, ()))
    assert [one.message for one in found] == ([] if message is None else [message])
    assert all(depends["a"][int(one.field[-1])] in one.message for one in found)


def test_a_long_chain_of_dependencies_is_no_trouble() -> None:
    names = {f"a{n}": [f"a{n + 1}"] for n in range(20_000)} | {"a20000": ["a0"]}
    assert len(check_depends("a0", lambda name: names[name])) == 1


def test_one_kind_and_name_is_declared_once() -> None:
    text = b"apiVersion: reconciler/v1\nkind: %s\nmetadata: {name: one}\nspec: %s\n"
    first = text % (b"Resource", b"{type: kv}") + b"---\n" + text % (b"App", b"{environments: []}")
    again = text % (b"Resource", b"{type: sql}") + b"---\n" + text % (b"Resource", b"{type: kv}")
    declared = [*parse("b/again.yaml", again).declarations, *parse("a/first\n.yaml", first).declarations]
    assert [(one.path, one.ordinal, problem.message) for one, problem in check_twice(declared)] == [
        ("b/again.yaml", 0, "Resource one is declared in a/first\\n.yaml already"),
        ("b/again.yaml", 1, "Resource one is declared in a/first\\n.yaml already"),
    ]


def test_what_cannot_be_read_exists_all_the_same() -> None:
    texts = {
        "a.yaml": b"apiVersion: reconciler/v1\nkind: App\nmetadata: {name: shop}\nspec: {}\n",
        "e.yaml": b"apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: live}\nspec: {track: 5}\n",
        "r.yaml": b"apiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: calendar}\nspec: {type: kv}\n",
        "s.yaml": b"apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: sandbox}\n",
    }
    parsed = [parse(path, text) for path, text in texts.items()]
    declared = [one for file in parsed for one in file.declarations]
    broken = [one for file in parsed for one in file.broken]
    everything = known_from(declared, broken, apps=["site"])
    cart = app(
        "cart",
        environments=("live", "sandbox"),
        depends_on=["shop", "site", "ship"],
        bindings=[{"name": "A", "type": "kv", "resource": "calendar"}],
    )
    assert [(one.message, one.remedy) for one in check_app(cart, everything)] == [
        ("there is no app ship", "did you mean shop?")
    ]


def test_groups_name_apps_that_they_can_move() -> None:
    apps = {"shop": app(), "payments": app("payments", environments=("sandbox",))}
    right = group("shop", "payments", environments=["sandbox"])
    wrong = group("shop", "shp", "payments", "shop", environments=["live", "liv"])
    assert check_group(right, apps, known()) == []
    assert [(one.field, one.message, one.remedy) for one in check_group(wrong, apps, known())] == [
        (("spec", "environments", 1), "there is no environment liv", "did you mean live?"),
        (("spec", "apps", 1), "there is no app shp", "did you mean shop?"),
        (
            ("spec", "apps", 2),
            "payments is in none of live and liv, so this group never moves it",
            "it is in sandbox",
        ),
        (("spec", "apps", 3), "shop stands here twice", "remove one of the two"),
    ]
