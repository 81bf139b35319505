"""Which settings does a version run with, once the environment's and the season's lie over its own?"""

from __future__ import annotations

from reconciler.desired import effective, merged


def test_the_upper_layer_wins_and_null_takes_a_key_away():
    version = {"level": "info", "size": 1, "old": True}
    layers = merged({"size": 2, "old": None, "greeting": "Hi"}, {"greeting": "Merry"})
    assert layers == {"size": 2, "old": None, "greeting": "Merry"}
    assert effective(version, layers) == {"level": "info", "size": 2, "greeting": "Merry"}
    assert effective(version, merged(layers, {"old": False})) == {
        "level": "info",
        "size": 2,
        "old": False,
        "greeting": "Merry",
    }
