"""Are git's formats read back, and is nothing odd enough to stop that?"""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.git import parsing

ID = "1" * 40
NAMES = st.binary(min_size=1, max_size=20).filter(lambda name: not set(name) & set(b"\0/"))


@given(st.binary(max_size=300))
@example(b"author a <b> 99999999999999999999999999 +0000\n\n")
@example(b"author " + b">" * 10_000)
@example(b"encoding zlib\n\nabc")
@example(b"encoding undefined\n\nabc")
@example(b"author <> -62135596801 +0000")
def test_every_raw_commit_can_be_read(data: bytes) -> None:
    told = parsing.commit(ID, data)
    assert told.id == ID
    assert told.authored_at.tzinfo is UTC
    assert isinstance(told.message, str)


@given(st.integers(0, 253_402_300_799), st.text(max_size=40).filter(lambda text: not set(text) & set("<>\n\0")))
def test_people_and_instants_are_read_back(seconds: int, name: str) -> None:
    raw = f"tree {ID}\nparent {ID}\nparent {ID}\nauthor {name} <a@b> {seconds} +0200\n\nSubject\n\nBody\n"
    told = parsing.commit(ID, raw.encode("utf-8", "replace"))
    assert told.authored_at == datetime.fromtimestamp(seconds, UTC)
    assert told.author_name == name.encode("utf-8", "replace").strip().decode()
    assert (told.tree, told.parents, told.subject) == (ID, (ID, ID), "Subject")


@given(
    st.dictionaries(
        NAMES, st.tuples(st.sampled_from(["40000", "100644", "160000"]), st.binary(min_size=20, max_size=20))
    )
)
def test_trees_are_read_back(entries: dict[bytes, tuple[str, bytes]]) -> None:
    raw = b"".join(mode.encode() + b" " + name + b"\0" + object_id for name, (mode, object_id) in entries.items())
    assert parsing.tree(raw, 20) == {name: (mode.zfill(6), one.hex()) for name, (mode, one) in entries.items()}


@given(st.binary(max_size=200))
def test_every_raw_tree_comes_to_an_end(data: bytes) -> None:
    parsing.tree(data, 20)


@given(st.binary(max_size=30))
def test_paths_survive_as_text(path: bytes) -> None:
    assert parsing.raw_path(parsing.text(path)) == path
