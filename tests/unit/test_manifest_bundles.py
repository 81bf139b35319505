"""Which files are content, given what each of them names as bundles?"""

from __future__ import annotations

import time

import pytest

from reconciler.manifest import content_among


@pytest.mark.parametrize(
    ("named", "taken", "content"),
    [
        ({}, (), set()),
        ({"a.yaml": ["a"], "b.yaml": []}, (), set()),
        ({"a.yaml": ["a"], "a/x.yaml": [], "a/b/y.yaml": [], "ab/z.yaml": []}, (), {"a/x.yaml", "a/b/y.yaml"}),
        ({"a/x.yaml": ["c"], "c/y.yaml": ["d"], "d/z.yaml": []}, (), {"c/y.yaml"}),
        ({"a/x.yaml": ["c"], "c/y.yaml": ["d"], "d/z.yaml": []}, ("a",), {"a/x.yaml", "d/z.yaml"}),
        ({"a/x.yaml": ["c"], "c/y.yaml": ["d"], "e.yaml": ["d"], "d/z.yaml": []}, (), {"c/y.yaml", "d/z.yaml"}),
        # A circle: the one nearest to the root stands, then the first by path.
        ({"b/x.yaml": ["a/b"], "a/b/y.yaml": ["b"]}, (), {"a/b/y.yaml"}),
        ({"b/x.yaml": ["a"], "a/y.yaml": ["b"], "c/z.yaml": []}, (), {"b/x.yaml"}),
    ],
)
def test_content_names_nothing(named: dict[str, list[str]], taken: tuple[str, ...], content: set[str]) -> None:
    assert content_among(named, taken) == content


def test_a_long_chain_takes_no_longer_than_its_length() -> None:
    count = 20_000
    named = {f"d{n:05d}/app.yaml": [f"d{n + 1:05d}"] for n in range(count)}
    before = time.process_time()
    assert content_among(named) == {f"d{n:05d}/app.yaml" for n in range(1, count, 2)}
    assert time.process_time() - before < 5
