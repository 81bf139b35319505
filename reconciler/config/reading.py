"""Where do the settings come from: a file, with `RECONCILER_…` variables over it?

`RECONCILER_REPOSITORY__URL` is `repository.url`. Every mistake is told at once, with the place where it stands and what
can stand there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.config import shapes
from reconciler.config.shapes import SETTINGS, Settings
from reconciler.errors import WrongUse
from reconciler.words import nearest

DEFAULT_FILE = "reconciler.yaml"
PREFIX = "RECONCILER_"
LARGEST = 1 << 20
_ABOUT_RELEASES = "APP ENVIRONMENT DEPLOYMENT VERSION VERSION_NUMBER VERSION_NAME TRAFFIC CONFIG BINDINGS BUNDLE CAUSE"
_OF_CALLS = "COMMIT TRIGGERS CHECK DEPLOYMENT_NUMBER FENCE LINEAGE"
NO_SETTINGS = frozenset(f"{PREFIX}{name}" for name in f"{_ABOUT_RELEASES} {_OF_CALLS}".split())
"""What a target's command finds in its environment: it may call `reconciler` too."""

Place = tuple[str, ...]
"""The names that lead to a setting: ("repository", "url")."""


_GROUPS: dict[Place, type[Any]] = {
    ("repository",): shapes.RepositorySettings,
    ("state",): shapes.StateSettings,
    ("api",): shapes.ApiSettings,
    ("api", "oidc"): shapes.OidcSettings,
    ("webhooks",): shapes.WebhookSettings,
    ("write",): shapes.WriteSettings,
    ("forge",): shapes.ForgeSettings,
    ("signers",): shapes.SignerSettings,
}
_DEEPEST = 3
"""Keys of the settings' own stand so deep in the file and no deeper."""


def _known(of: type[Any] = Settings, above: Place = ()) -> Iterator[Place]:
    for field in fields(of):
        place = (*above, field.name)
        if place in _GROUPS:
            yield from _known(_GROUPS[place], place)
        else:
            yield place


KNOWN = tuple(_known())
"""Every setting that there is."""


@dataclass(frozen=True, slots=True)
class _Given:
    """What was set: values by name, where each of them was read, and what was set twice."""

    values: dict[str, Any]
    places: dict[Place, str]
    twice: tuple[str, ...] = ()


def load(file: str | None, environ: Mapping[str, str]) -> Settings:
    """The settings in force. Raises WrongUse with every mistake at once, naming the line or the variable."""
    given = _from_file(file)
    wrong = [*given.twice, *_overlay(given, environ)]
    try:
        found = SETTINGS.validate_python(given.values)
    except ValidationError as error:
        wrong += [_said(one, given.places, file or DEFAULT_FILE) for one in error.errors(include_url=False)]
    if wrong:
        raise WrongUse("; ".join(wrong), "nothing was done: correct the settings first")
    return found


def _from_file(file: str | None) -> _Given:
    path = Path(file or DEFAULT_FILE)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        if file is None:
            return _Given({}, {})
        raise WrongUse(f"there is no settings file {file}", "name another with --config, or leave it out") from None
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise WrongUse(f"the settings file {path} cannot be read: {said}", "check its name and its rights") from error
    if len(text) > LARGEST:
        raise WrongUse(f"the settings file {path} is too large", "it should have a few lines")
    return _parsed(text, path)


def _parsed(text: bytes, path: Path) -> _Given:
    loader = None
    try:
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        # Before values are made of them: then merged keys stand among the others.
        twice = tuple(_twice(node, str(path)))
        values = loader.construct_document(node) if node is not None else {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        said = " ".join(str(getattr(error, "problem", None) or error).split())[:300]
        raise WrongUse(f"{path}{line}: this is no YAML: {said}", "correct it") from error
    finally:
        if loader is not None:
            loader.dispose()
    if node is None or values is None:
        return _Given({}, {})
    if not isinstance(values, dict):
        raise WrongUse(f"the settings file {path} holds no settings", "write keys such as repository: and state:")
    return _Given(values, dict(_places(node, str(path))), twice)


def _twice(node: Any, path: str, above: Place = ()) -> Iterator[str]:
    """Keys that stand twice in one mapping, of which YAML itself would silently let the last one win."""
    first: dict[tuple[str, str], int] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if not isinstance(key, yaml.ScalarNode):
            continue
        line, name, same = key.start_mark.line + 1, (*above, key.value), (key.tag, key.value)
        if same in first:
            said = ".".join(name)[:100]
            yield f"{path}:{line}: {said}: it stands here twice, first in line {first[same]} (remove one of the two)"
        first.setdefault(same, line)
        if len(name) < _DEEPEST:
            yield from _twice(value, path, name)


def _places(node: Any, path: str, above: Place = ()) -> Iterator[tuple[Place, str]]:
    """Where each key stands that can be a setting's."""
    for key, value in node.value:
        here = (*above, str(key.value))
        yield here, f"{path}:{key.start_mark.line + 1}"
        if isinstance(value, yaml.MappingNode) and len(here) < _DEEPEST:
            yield from _places(value, path, here)


def _overlay(given: _Given, environ: Mapping[str, str]) -> Iterator[str]:
    """Lay the variables over the file's values; sentences about those that there are not."""
    known = {_variable(place): place for place in KNOWN}
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name in NO_SETTINGS:
            continue
        place = known.get(name.upper())
        if place is None:
            yield f"{name}: there is no such variable{_meant(name, known)}"
            continue
        group: Any = given.values
        for part in place[:-1]:
            if isinstance(group, dict) and group.get(part) is None:
                group[part] = {}
            group = group[part] if isinstance(group, dict) else None
        # Where the file has something else in the group's place, that is the mistake to tell.
        if isinstance(group, dict):
            group[place[-1]] = value
            given.places[place] = name


def _variable(place: Place) -> str:
    return PREFIX + "__".join(place).upper()


def _meant(word: str, known: Iterable[str]) -> str:
    found = nearest(word, known)
    return f" (did you mean {found}?)" if found else ""


def _said(wrong: ErrorDetails, places: Mapping[Place, str], file: str) -> str:
    place = tuple(str(part) for part in wrong["loc"])
    name = ".".join(place) or "settings"
    where = next((places[place[:end]] for end in range(len(place), 0, -1) if place[:end] in places), file)
    here = f"{where}: {name}"
    if wrong["type"] == "invalid_key":
        return f"{here}: the name of a setting is a text"
    if wrong["type"] == "unexpected_keyword_argument":
        below = {known[: len(place)][-1] for known in KNOWN if known[: len(place) - 1] == place[:-1]}
        elsewhere = {known[-1]: ".".join(known) for known in KNOWN}
        other = elsewhere.get(place[-1])
        meant = f" (did you mean {other}?)" if other else _meant(place[-1], below) or _meant(place[-1], elsewhere)
        return f"{here}: there is no such setting{meant}"
    remedy = wrong.get("ctx", {}).get("remedy", "")
    return f"{here}: {wrong['msg']}" + (f" ({remedy})" if remedy else "")
