"""Which Environments put releases into one place, as far as their manifests tell?"""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.manifest import check_shared, shared
from reconciler.model.environment import Environment
from tests.builders import app, environment

X = {"type": "directory", "path": "releases/x"}


def two(first: dict[str, Any] | None, second: dict[str, Any] | None) -> dict[str, Environment]:
    """The environments `sandbox` and `live` with these targets, in this order; None is left out."""
    given = {"sandbox": first, "live": second}
    return {name: environment(name, **({"target": target} if target else {})) for name, target in given.items()}


@pytest.mark.parametrize(
    "second",
    [
        X,
        {"path": "releases/x"},
        {"type": "directory", "path": "./releases/x"},
        {"type": "directory", "path": "releases//x/"},
        {"type": "directory", "path": "releases/./x", "keep": 3},
    ],
)
def test_one_directory_in_two_environments_is_an_error_at_the_second(second: dict[str, Any]) -> None:
    (one,) = check_shared(two(X, second))
    assert (one.kind, one.name, one.field, one.severity) == ("Environment", "live", ("spec", "target"), "error")
    assert one.message.startswith("releases/x is the directory of the environment sandbox too")
    assert "target.path of its own" in one.remedy


def test_the_directory_by_default_is_a_directory_too() -> None:
    (one,) = check_shared(two({"path": "releases/live"}, None))
    assert (one.name, "releases/live is the directory of the environment sandbox too" in one.message) == ("live", True)
    assert [one.name for one in check_shared(two({"path": "/srv/x"}, {"path": "//srv//x"}))] == ["live"]


def test_one_directory_inside_the_other_is_an_error_whichever_comes_first() -> None:
    (inner,) = check_shared(two(X, {"path": "releases/x/shop"}))
    (outer,) = check_shared(two({"path": "releases/x/shop"}, X))
    assert inner.message.startswith("this directory, releases/x/shop, lies inside releases/x, that of the environment")
    assert outer.message.startswith("releases/x/shop, the directory of the environment sandbox, lies inside this one")
    assert [one.name for one in check_shared(two({"path": "."}, None))] == ["live"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (None, None),
        (X, {"type": "directory", "path": "releases/xy"}),
        (X, {"type": "directory", "path": "/releases/x"}),
        ({"type": "exec", "command": ["a"], "path": "releases/x"}, {"type": "exec", "command": ["a"]}),
        ({"type": "exec", "command": ["a"]}, X),
        # What the target itself refuses is told by it, and not here.
        ({"path": "../x"}, {"path": "../x"}),
        ({"path": 3}, {"path": 3}),
        ({"path": " "}, {"path": " "}),
    ],
)
def test_what_is_apart_or_no_directory_is_right(first: dict[str, Any] | None, second: dict[str, Any] | None) -> None:
    assert list(check_shared(two(first, second))) == []


def test_of_three_in_one_place_the_second_and_the_third_are_told_of_the_first() -> None:
    several = {name: environment(name, target=X) for name in ("a", "b", "c")}
    assert [(one.name, "environment a " in one.message) for one in check_shared(several)] == [("b", True), ("c", True)]


def test_apps_that_are_not_in_the_way_of_anything_are_not_concerned() -> None:
    (same,) = shared(two(X, X))
    assert [same.concerns(app(environments=names)) for names in (("sandbox",), ("live",), ("sandbox", "live"))] == [
        False,
        False,
        True,
    ]
    (nested,) = shared(two(X, {"path": "releases/x/shop/deep"}))
    assert nested.concerns(app("shop", environments=("sandbox",)))
    assert not nested.concerns(app("blog", environments=("sandbox",)))
    assert nested.concerns(app("blog", environments=("live",)))
