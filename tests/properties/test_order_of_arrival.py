"""Does git declare the same, in whatever order its files arrived?"""

from __future__ import annotations

import json
import posixpath
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select

from reconciler.store import complaining, declared, tables
from tests.strategies import examples
from tests.world import World, app_manifest

pytestmark = pytest.mark.timeout(300)
Tree = Mapping[str, str]
DIRECTORIES = ("a", "a/b", "a/b/e", "c", "c/b", "c/d", "c/d/f")
TARGET = {"type": "exec", "command": ["true"]}


def environment(name: str) -> str:
    """An Environment that tracks the branch."""
    spec = {"track": "latest", "target": TARGET}
    return json.dumps({"apiVersion": "reconciler/v1", "kind": "Environment", "metadata": {"name": name}, "spec": spec})


def app_set(name: str, pattern: str, bundle: str | None) -> str:
    """A set that makes apps of the directories that the pattern matches."""
    spec = {"environments": ["sandbox"], **({"bundle": bundle} if bundle else {"config": {"A": 1}})}
    body = {"directories": [pattern], "template": {"spec": spec}}
    return json.dumps({"apiVersion": "reconciler/v1", "kind": "AppSet", "metadata": {"name": name}, "spec": body})


@st.composite
def apps(draw: st.DrawFn) -> tuple[str, str]:
    """An App somewhere. The directory that it names comes later in order than its own: there are no circles."""
    name, at = draw(st.sampled_from("wxyz")), draw(st.sampled_from(["", *DIRECTORIES[:-1]]))
    bundle = draw(st.sampled_from([one for one in DIRECTORIES if one > at]) | st.none())
    where = draw(st.sampled_from([["sandbox"], ["sandbox", "other"]]))
    spec = {"config": {"A": draw(st.integers(1, 2))}, "environments": where}
    given = posixpath.relpath(bundle, at or ".") if bundle else None
    return posixpath.join(at, f"{name}.yaml"), app_manifest(name, bundle=given, **spec)


@st.composite
def sets(draw: st.DrawFn) -> tuple[str, str]:
    """A set at the root or in the first directory."""
    at, pattern = draw(st.sampled_from(["", "a"])), draw(st.sampled_from(["*", "a/*", "c/*", "*/*", "*/*/*"]))
    name = draw(st.sampled_from("st"))
    bundle = draw(st.sampled_from([".", ".", "d", "..", None]))
    return posixpath.join(at, f"set-{name}.yaml"), app_set(name, pattern, bundle)


WHERE = st.sampled_from(["", *DIRECTORIES])
OTHERS = st.sampled_from(
    [
        ("page.html", "one"),
        ("page.html", "two"),
        ("values.yaml", "a: 1\n"),
        ("template.yaml", "apiVersion: reconciler/v1\nkind: App\n{{ helm }}\n"),
        ("other.yaml", environment("other")),
    ]
)
FILES = apps() | apps() | sets() | st.builds(lambda at, one: (posixpath.join(at, one[0]), one[1]), WHERE, OTHERS)
TREES = st.lists(FILES, max_size=9).map(dict)


@st.composite
def histories(draw: st.DrawFn) -> list[Tree]:
    """Trees one after another: some of what will be there at the end, and of what will not."""
    end, beside = draw(TREES), draw(TREES)
    every = sorted({*end.items(), *beside.items()})
    parts = draw(st.lists(st.lists(st.sampled_from(every)), min_size=1, max_size=4)) if every else []
    return [*map(dict, parts), end]


def declares(trees: Sequence[Tree]) -> dict[str, Any]:
    """What git declares once these trees were noted, one commit after another."""
    with tempfile.TemporaryDirectory(prefix="arrival-") as made:
        world = World(Path(made))
        laid: Tree = {}
        for tree in trees:
            full = {"environments.yaml": environment("sandbox"), **tree}
            world.repo.write({path: None for path in laid if path not in full} | full).commit("Another tree")
            laid = full
            world.repo.push()
        return dict(noted(world))


def noted(world: World) -> Iterator[tuple[str, Any]]:
    with world.running() as found:
        while found.cycle.turn(world.now).commits:
            pass
        with found.database.read() as connection:
            names = tables.apps.c
            rows = connection.execute(select(tables.apps).where(names.removed.is_(False)).order_by(names.name)).all()
            held = {row.name for row in rows if row.complaints is not None}
            yield "files", sorted(connection.execute(select(tables.files.c.path)).scalars())
            yield "declared", sorted(map(str, connection.execute(select(tables.declarations))))
            yield "complaints", complaining.complaints(connection)
            yield "apps", [(row.name, row.path, row.ordinal) for row in rows]
            # What is held stays as it was before.
            yield "contents", [(row.name, row.bundle, row.tree, row.content) for row in rows if row.name not in held]
            placed = declared.placements(connection, [row.name for row in rows if row.name not in held])
            yield (
                "placed",
                [
                    (app, name, row.entry)
                    for app, there in sorted(placed.items())
                    for name, row in sorted(there.items())
                    if row.declared
                ],
            )


SET, INNER = app_set("s", "a/*", "."), app_manifest("x", bundle="e", environments=["sandbox"])
EVERY = app_set("s", "*/*", ".")
NOWHERE = {"x.yaml": app_manifest("x", bundle="c/d", environments=["sandbox"])}
BELOW = {"a/b/x.yaml": INNER, "a/b/e/page.html": "one"}
BROKEN = {"a/b/template.yaml": "apiVersion: reconciler/v1\nkind: App\n{{ helm }}\n"}


@examples(25)
@given(histories())
@example([{"set-s.yaml": SET}, {"set-s.yaml": SET, **BELOW, **BROKEN}])
@example([{"set-s.yaml": SET}, {"set-s.yaml": SET, **BELOW}, {"set-s.yaml": SET, "a/b/e/page.html": "one"}])
@example([{"set-s.yaml": SET, **BELOW}, BELOW])
@example([{"set-s.yaml": EVERY, **BELOW}, {"set-s.yaml": EVERY, **BELOW, "c/b/page.html": "one"}])
@example([{"set-s.yaml": SET, **BELOW}, {"set-s.yaml": app_set("s", "c/*", "."), **BELOW}])
@example([NOWHERE, {**NOWHERE, "c/b/page.html": "one"}])
def test_the_same_is_declared_however_files_arrive(history: list[Tree]):
    assert declares(history) == declares(history[-1:])
