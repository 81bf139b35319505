"""Does reading ever fail, or accept what cannot be stored, whatever somebody commits?"""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import ManifestError
from reconciler.manifest import (
    KINDS,
    bundle_directory,
    decode,
    github,
    locate,
    matches,
    parse,
    sarif,
)
from reconciler.manifest.schemas import keys_at, schema

GOOD: list[dict[str, Any]] = [
    {
        "apiVersion": "reconciler/v1",
        "kind": "App",
        "metadata": {"name": "booking", "labels": {"team": "web"}},
        "spec": {
            "version": "1.4.0",
            "bundle": "agent",
            "config": {"a": [1, {"b": None}]},
            "bindings": [{"name": "A", "type": "kv", "resource": "r"}],
            "secrets": [{"name": "S", "from": "env:S"}],
            "triggers": {"crons": ["*/5 * * * *"]},
            "environments": {
                "sandbox": None,
                "live": {
                    "track": "sandbox",
                    "gates": {"soak": "30m", "approvals": {"qa": 1}},
                    "schedule": [{"at": "2026-12-01T09:00", "timezone": "Europe/Paris", "version": "1.5.0"}],
                    "pause": {"by": "ada", "reason": "x", "until": "2026-12-01T09:00Z"},
                },
            },
        },
    },
    {
        "apiVersion": "reconciler/v1",
        "kind": "Environment",
        "metadata": {"name": "live"},
        "spec": {"track": "sandbox", "retry": {"limit": 1, "backoff": "5s"}, "target": {"type": "exec"}},
    },
    {
        "apiVersion": "reconciler/v1",
        "kind": "Season",
        "metadata": {"name": "christmas"},
        "spec": {
            "apps": ["booking"],
            "environments": ["live"],
            "from": "2026-12-01T00:00",
            "until": "2027-01-02T06:00",
            "timezone": "Europe/Paris",
            "repeat": "yearly",
            "traffic": [{"version": "a", "percent": 90}, {"version": "b", "percent": 10}],
        },
    },
    {
        "apiVersion": "reconciler/v1",
        "kind": "AppSet",
        "metadata": {"name": "sites"},
        "spec": {"directories": ["sites/*"], "template": {"spec": {"environments": ["live"]}}},
    },
    {
        "apiVersion": "reconciler/v1",
        "kind": "Freeze",
        "metadata": {"name": "nights"},
        "spec": {
            "environments": ["live"],
            "cron": "0 18 * * *",
            "duration": "14h",
            "timezone": "Europe/Paris",
            "reason": "x",
        },
    },
]

VALIDATORS = {kind: jsonschema_rs.validator_for(schema(kind)) for kind in KINDS}
KEYS = sorted({key for kind in KINDS for at in ((), ("metadata",), ("spec",)) for key in keys_at(kind, at)})
TEXTS = st.sampled_from([*KEYS, *KINDS, "reconciler/v1", "latest", "2026-02-30", "P1D", "UTC", "../..", "[x", "env:"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS | st.text(max_size=20) | st.dates()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A right manifest in which some values or keys were replaced, and perhaps some bytes of its text."""
    document: Any = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    for _ in range(draw(st.integers(0, 3))):
        holder = document
        while True:
            places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not places:
                break
            at = draw(st.sampled_from(places))
            if isinstance(holder[at], dict | list) and draw(st.booleans()):
                holder = holder[at]
                continue
            if isinstance(holder, dict) and draw(st.integers(0, 3)) == 0:
                holder[draw(TEXTS | st.text(max_size=8))] = holder.pop(at)
            else:
                holder[at] = draw(VALUES)
            break
    text = yaml.safe_dump(document, allow_unicode=draw(st.booleans()), default_flow_style=draw(st.booleans()))
    data = text.encode("utf-8", "surrogatepass")
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=3) | st.sampled_from(TRICKS)) + data[at + draw(st.integers(0, 3)) :]
    return data


TRICKS = [
    b"&a ",
    b"*a ",
    b"<<: ",
    b"!!x ",
    b"\t",
    b"\n---\n",
    b"? ",
    b"{",
    b"]",
    b"'",
    b'"',
    b"\r",
    b"\xef\xbb\xbf",
    b"|\n",
]


def look(data: bytes) -> None:
    """Read a file, and hold what comes of it against what is promised."""
    parsed = parse("some/file.yaml", data)
    for complaint in parsed.complaints:
        assert complaint.line >= 1
        assert complaint.column >= 1
        assert str(complaint).isprintable()
        assert complaint.message
    assert list(parsed.complaints) == sorted(set(parsed.complaints))
    assert len(github(parsed.complaints).splitlines()) == len(parsed.complaints)
    json.dumps(sarif(parsed.complaints)).encode()
    for declared in parsed.declarations:
        stored = json.dumps(declared.document, allow_nan=False).encode()
        assert decode(declared.kind, json.loads(stored)) == declared.manifest
        assert declared.name == declared.manifest.name
        VALIDATORS[declared.kind].validate(declared.document)
        line, column = locate(data, declared.ordinal, ("spec", "environments", "live", 0))
        assert line >= 1
        assert column >= 1
    if any(complaint.severity == "error" for complaint in parsed.complaints):
        assert len(parsed.declarations) <= data.count(b"reconciler/")


@given(st.binary(max_size=200))
@settings(max_examples=150)
def test_any_bytes_are_read_without_failing(data: bytes) -> None:
    look(data)
    look(b"# reconciler/\n" + data)
    look(b"apiVersion: reconciler/v1\nkind: App\nspec: " + data)


@given(mutated())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_any_mutated_manifest_is_read_without_failing(data: bytes) -> None:
    look(data)


@given(VALUES, st.sampled_from(sorted(KINDS)))
@settings(max_examples=100)
def test_any_spec_is_read_without_failing(spec: Any, kind: str) -> None:
    document = {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    look(yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "surrogatepass"))


@given(st.text(max_size=30), st.text(max_size=30) | st.text("./a", max_size=12))
@settings(max_examples=150)
def test_a_bundle_never_leaves_the_repository(manifest: str, bundle: str) -> None:
    try:
        directory = bundle_directory(f"apps/{manifest.replace('.', '')}/app.yaml", bundle)
    except ManifestError:
        return
    assert not directory.startswith("/")
    assert not {"..", ".", ".git"} & set(directory.split("/"))


@given(st.text("ab*?/.", max_size=20), st.text("ab/.", max_size=12))
@settings(max_examples=200)
def test_patterns_agree_with_a_plain_definition(pattern: str, directory: str) -> None:
    def fits(wanted: str, name: str) -> bool:
        if not wanted:
            return not name
        if wanted[0] == "*":
            return any(fits(wanted[1:], name[at:]) for at in range(len(name) + 1))
        return bool(name) and wanted[0] in ("?", name[0]) and fits(wanted[1:], name[1:])

    wanted, given_names = pattern.rstrip("/").split("/"), directory.split("/")
    plain = (
        bool(directory)
        and len(wanted) == len(given_names)
        and all(
            fits(one, name) and (one.startswith(".") or not name.startswith("."))
            for one, name in zip(wanted, given_names, strict=True)
        )
    )
    assert matches(pattern, directory) is plain


@given(st.sampled_from(sorted(KINDS)), st.lists(TEXTS | st.integers(0, 3), max_size=5))
@settings(max_examples=100)
def test_asking_for_keys_anywhere_gives_keys_or_none(kind: str, field: list[str | int]) -> None:
    assert all(isinstance(key, str) for key in keys_at(kind, tuple(field)))
    assert schema(kind)["properties"]
