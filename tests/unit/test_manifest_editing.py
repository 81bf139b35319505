"""What becomes of a manifest, line by line, when a choice is written into it? And what is refused?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import ManifestError, NotSo, WrongUse
from reconciler.manifest import parse
from reconciler.manifest.editing import change, remove_value, set_value
from reconciler.manifest.editing_choices import Place, pause, pin, plan, resume, split, track

HEAD = "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: shop}\nspec:\n  bundle: .\n  environments:"
LIVE = Place("shop.yaml", 0, "shop", "live")
MANIFESTS = Path(__file__).parents[2] / "manifests"

Edit = Callable[[bytes], bytes]


def to_v12(data: bytes) -> bytes:
    return pin(data, LIVE, "v12")


def to_a_split(data: bytes) -> bytes:
    return split(data, LIVE, [("v11", 90.0), ("1.10", 10)])


def to_track(data: bytes) -> bytes:
    return track(data, LIVE, "sandbox")


def to_default(data: bytes) -> bytes:
    return track(data, LIVE)


def to_plan(data: bytes) -> bytes:
    return plan(data, LIVE, "2026-12-01T09:00", "Europe/Paris", "1.5.0")


def to_pause(data: bytes) -> bytes:
    return pause(data, LIVE, "ada", "no", "2026-12-02T00:00Z")


def to_work(data: bytes) -> bytes:
    return resume(data, LIVE)


TRAFFIC = '[{version: v11, percent: 90}, {version: "1.10", percent: 10}]'

CHANGES: list[tuple[Edit, str, str]] = [
    # Empty entries.
    (to_v12, "\n    live:\n", "\n    live:\n      version: v12\n"),
    (to_v12, "\n    live: # c\n    # d\n", "\n    live: # c\n      version: v12\n    # d\n"),
    (to_v12, "\n    live: {}  # c\n", "\n    live: {version: v12}  # c\n"),
    (to_v12, "\n    live: null\n", "\n    live: {version: v12}\n"),
    (to_v12, "\n    live: ~", "\n    live: {version: v12}"),
    (to_v12, "\n    live:", "\n    live:\n      version: v12"),
    (
        to_v12,
        "\n    sandbox:\n      config: {a: b}\n    live: {}\n",
        "\n    sandbox:\n      config: {a: b}\n    live:\n      version: v12\n",
    ),
    # Lists of names.
    (to_v12, " [sandbox, live] # c\n", " {sandbox: {}, live: {version: v12}} # c\n"),
    (
        to_v12,
        "\n    - sandbox # s\n\n    # l\n    - 'live'",
        "\n    sandbox: {} # s\n\n    # l\n    'live': {version: v12}",
    ),
    (to_v12, "\n  - live\n  - sandbox\n", "\n    live: {version: v12}\n    sandbox: {}\n"),
    # Line ends, braces, what was chosen before.
    (to_v12, "\r\n    live:\r\n", "\r\n    live:\r\n      version: v12\r\n"),
    (to_v12, " {live: {track: sandbox}}\n", " {live: {version: v12}}\n"),
    (to_v12, " {live: , sandbox}\n", " {live: {version: v12} , sandbox}\n"),
    (to_v12, " {sandbox, live}\n", " {sandbox, live: {version: v12}}\n"),
    (
        to_v12,
        "\n    live: {\n      track: sandbox,  # t\n      config: {}\n    }\n",
        "\n    live: {\n      version: v12,  # t\n      config: {}\n    }\n",
    ),
    (
        to_pause,
        "\n    live: {\n      # x\n      track: sandbox  # t\n    }\n",
        '\n    live: {\n      # x\n      track: sandbox,  # t\n      pause: {by: ada, reason: "no",'
        ' until: "2026-12-02T00:00Z"}\n    }\n',
    ),
    (to_v12, '\n    live:\n      version: "1.10"   # why\n', "\n    live:\n      version: v12   # why\n"),
    (
        to_v12,
        "\n    live:\n      experiment:\n        control: v1\n        variant: v2\n        percent: 20\n"
        '        until: "2026-12-02T00:00Z"\n      # c\n      config: {}\n',
        "\n    live:\n      version: v12\n      # c\n      config: {}\n",
    ),
    (
        to_v12,
        "\n    live:\n      traffic: # two\n      - version: v1\n        percent: 90\n"
        "      - {version: v2, percent: 10}\n",
        "\n    live:\n      version: v12 # two\n",
    ),
    # Behind texts in lines.
    (
        to_v12,
        "\n    live:\n      config:\n        text: |\n          a\n\n\n# end\n",
        "\n    live:\n      config:\n        text: |\n          a\n      version: v12\n\n\n# end\n",
    ),
    (
        to_v12,
        "\n    live:\n      config:\n        text: |+\n          a\n\n\n",
        "\n    live:\n      config:\n        text: |+\n          a\n\n\n      version: v12\n",
    ),
    (
        to_v12,
        "\n    live:\n      config:\n        text: |\n          a",
        "\n    live:\n      version: v12\n      config:\n        text: |\n          a",
    ),
    # A split.
    (to_a_split, "\n    live: {}\n", f"\n    live: {{traffic: {TRAFFIC}}}\n"),
    (
        to_a_split,
        "\n    live:\n      traffic:\n        - version: v10 # old\n          percent: 90\n        # small\n"
        "        - version: v11\n          percent: 10\n",
        "\n    live:\n      traffic:\n        - version: v11 # old\n          percent: 90\n        # small\n"
        '        - version: "1.10"\n          percent: 10\n',
    ),
    (
        to_a_split,
        "\n    sandbox:\n      traffic:\n      - version: v1\n        percent: 100\n    live:\n"
        "      track: sandbox # t\n",
        "\n    sandbox:\n      traffic:\n      - version: v1\n        percent: 100\n    live:\n      traffic: # t\n"
        '      - version: v11\n        percent: 90\n      - version: "1.10"\n        percent: 10\n',
    ),
    # Tracking again.
    (to_track, "\n    live: {version: v1, config: {a: 1}}\n", "\n    live: {track: sandbox, config: {a: 1}}\n"),
    (to_default, "\n    live: {version: v1, config: {a: 1}}\n", "\n    live: {config: {a: 1}}\n"),
    (to_default, "\n    live:  # c\n      # d\n      version: v1\n", "\n    live: {}  # c\n      # d\n"),
    (to_default, "\n    live:\n      version: v1\n      config: {}", "\n    live:\n      config: {}"),
    (to_default, "\n    live:\n      config: {}\n      version: v1", "\n    live:\n      config: {}"),
    # Planned and paused.
    (
        to_plan,
        "\n    live:\n      schedule:\n        # later\n        - {at: '2026-11-01T09:00Z', version: v1} # first\n",
        "\n    live:\n      schedule:\n        # later\n        - {at: '2026-11-01T09:00Z', version: v1} # first\n"
        '        - {at: "2026-12-01T09:00", timezone: Europe/Paris, version: 1.5.0}\n',
    ),
    (
        to_plan,
        "\n    live:\n      schedule:\n      - at: '2026-11-01T09:00Z'\n        version: v1\n      config: {}\n",
        "\n    live:\n      schedule:\n      - at: '2026-11-01T09:00Z'\n        version: v1\n"
        '      - at: "2026-12-01T09:00"\n        timezone: Europe/Paris\n        version: 1.5.0\n      config: {}\n',
    ),
    (
        to_pause,
        "\n    sandbox:\n      pause:\n        by: bob\n        reason: x\n        until: '2026-01-01T00:00Z'\n"
        "    live:\n      track: sandbox\n",
        "\n    sandbox:\n      pause:\n        by: bob\n        reason: x\n        until: '2026-01-01T00:00Z'\n"
        '    live:\n      track: sandbox\n      pause:\n        by: ada\n        reason: "no"\n'
        '        until: "2026-12-02T00:00Z"\n',
    ),
    (
        to_work,
        "\n    live:\n      track: sandbox\n      pause:   # p\n        by: bob # b\n        reason: |\n          x\n"
        "        until: '2026-01-01T00:00Z'\n# end",
        "\n    live:\n      track: sandbox\n# end",
    ),
]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("edit", "before", "after"), CHANGES)
def test_only_these_lines_change(edit: Edit, before: str, after: str, mark: str) -> None:
    start = mark + HEAD
    assert edit((start + before).encode()).decode() == start + after
    again = edit((start + after).encode()).decode()
    assert again == start + after, "done already is done"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("\n    live: &l {track: sandbox}\n    b: *l\n", "7:11: other places refer to this as *l"),
        ("\n    b: &l {track: sandbox}\n    live: *l\n", "8:11: this is the alias *l"),
        ("\n    live:\n      config: {a: &a 1, b: *a}\n      track: &t sandbox\n    b: {track: *t}\n", "as *t"),
        ("\n    b: &l {track: sandbox}\n    live:\n      <<: *l\n", "merge keys (<<) are not supported"),
        ("\n    ? live\n    ? b\n", "this is written with '? '"),
        ("\n    live: {track: sandbox, track: latest}\n", "stands twice"),
        ("\n    live: {}\n---\nx: [\n", "the file has ended"),
        ("\n    live: !!map {}\n    x: !!int 3\n", "the tag !!int"),
    ],
)
def test_what_cannot_be_changed_alone_is_refused_with_its_place(body: str, said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        to_v12((HEAD + body).encode())
    assert said.replace("the file has ended", "") in str(caught.value)
    assert caught.value.message.startswith("shop.yaml:")
    assert caught.value.next_step


def test_an_alias_of_one_value_gives_way() -> None:
    body = "\n    b: {version: &v v1}\n    live: {version: *v }\n"
    assert to_v12((HEAD + body).encode()).decode().endswith("live: {version: v12 }\n")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda data: pin(data, LIVE, "../x"), "reference|version"),
        (lambda data: split(data, LIVE, [("v1", 50), ("v2", 40)]), "add up to 90"),
        (lambda data: plan(data, LIVE, "tomorrow", None, "v1"), "tomorrow"),
        (lambda data: set_value("f", data, 0, ("kind", "x"), 1), "there is no 'x' in this"),
        (lambda data: set_value("f", data, 0, ("spec", 3), 1), "there is no '3' in this"),
        (lambda data: set_value("f", data, 0, ("spec", "bundles"), "x"), "bundles"),
    ],
)
def test_what_would_not_be_accepted_is_not_written(edit: Edit, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        edit((HEAD + "\n    live: {}\n").encode())


@pytest.mark.parametrize(
    "value", ["x\0y", "\ud800", "\ufffe", float("nan"), float("inf"), 2**63, {1: 2}, [{"a": (1,)}], object(), b"x"]
)
def test_what_yaml_cannot_hold(value: object) -> None:
    with pytest.raises(WrongUse, match="cannot be written"):
        set_value("f", b"a: 1\n", 0, ("b",), value)


def test_the_wrong_manifest() -> None:
    data = (HEAD + " [live]\n---\nkind: AppSet\n").encode()
    for place, said in (
        (Place("f", 0, "mail", "live"), "not the manifest of mail"),
        (Place("f", 0, "shop", "sandbox"), "does not run in sandbox"),
        (Place("f", 1, "shop", "live"), "AppSet"),
    ):
        with pytest.raises(NotSo, match=said):
            pin(data, place, "v12")
    with pytest.raises(WrongUse, match="2 documents"):
        pin(data, Place("f", 2, "shop", "live"), "v12")
    with pytest.raises(WrongUse):
        set_value("f", data, 0, (), 1)
    with pytest.raises(ManifestError, match="UTF-16"):
        pin(data.decode().encode("utf-16"), LIVE, "v12")


def test_keys_and_items() -> None:
    data = b"a: [1, 2]  # c\nb:\n- x: 1\n  # why\n  y: 2\n- z\n"
    assert remove_value("f", data, 0, ("b", 0, "x")) == b"a: [1, 2]  # c\nb:\n- \n  # why\n  y: 2\n- z\n"
    assert remove_value("f", data, 0, ("b", 0, "y")) == b"a: [1, 2]  # c\nb:\n- x: 1\n  # why\n- z\n"
    assert remove_value("f", data, 0, ("a", 0)) == b"a: [2]  # c\nb:\n- x: 1\n  # why\n  y: 2\n- z\n"
    assert set_value("f", data, 0, ("a", 2), 3).startswith(b"a: [1, 2, 3]  # c\n")
    assert set_value(
        "f",
        data,
        0,
        (
            "b",
            0,
            "y",
        ),
        3,
    ).endswith(b"  # why\n  y: 3\n- z\n")
    assert set_value("f", data, 0, ("b", 1), ["p"]).endswith(b"  y: 2\n- [p]\n")
    assert set_value("f", data, 0, ("c", "d", "e"), True).endswith(b"- z\nc: {d: {e: true}}\n")
    assert remove_value("f", data, 0, ("nothing", "there")) == data
    assert change("f", data, 0, {"a": [1, 2], "b": [{"x": 1, "y": 2}, "z"]}) is data


def test_json_stays_json() -> None:
    data = b'{"spec": {"environments": {"live": {}}}}'
    changed = set_value("f", data, 0, ("spec", "environments", "live", "version"), "v12")
    assert changed == b'{"spec": {"environments": {"live": {"version": "v12"}}}}'


def real() -> list[tuple[Path, int, str, str]]:
    """Every app of the example repository in every environment that it runs in."""
    found = []
    for file in sorted(MANIFESTS.rglob("*.yaml")):
        for one in parse(file.name, file.read_bytes()).declarations:
            if one.kind == "App":
                found += [(file, one.ordinal, one.name, name) for name in one.document["spec"]["environments"]]
    return found


@pytest.mark.parametrize(("file", "ordinal", "app", "environment"), real())
def test_the_examples_there_and_back(file: Path, ordinal: int, app: str, environment: str) -> None:
    data, place = file.read_bytes(), Place(file.name, ordinal, app, environment)
    pinned = pin(data, place, "v12")
    old, new = data.decode().splitlines(), pinned.decode().splitlines()
    assert len(set(new) - set(old)) <= 2
    assert len(set(old) - set(new)) <= 1
    paused = pause(pinned, place, "ada", "stock-taking: no sales", "2027-01-02T00:00Z")
    assert resume(paused, place) == pinned
    shared = split(paused, place, [("v12", 90), ("v13", 10)])
    assert pin(shared, place, "v12") == paused
    back = track(resume(paused, place), place)
    assert parse(file.name, back).declarations == parse(file.name, data).declarations
