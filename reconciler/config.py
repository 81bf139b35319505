"""Which settings hold: built-in defaults, a file over them, `RECONCILER_…` variables over that?

`RECONCILER_REPOSITORY__URL` is `repository.url`. Every mistake is told at once, with the place where it stands and what
can stand there. What the settings are used for is decided in `wiring`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import ErrorDetails

from reconciler import schedule
from reconciler.errors import ScheduleError, WrongUse
from reconciler.model.shape import refusal, shape
from reconciler.words import nearest, quoted

DEFAULT_FILE = "reconciler.yaml"
PREFIX = "RECONCILER_"
LARGEST = 1 << 20
NUDGE = "nudge"
"""A file in the data directory; touching it makes the daemon look."""

_ABOUT_RELEASES = "APP ENVIRONMENT DEPLOYMENT VERSION VERSION_NUMBER VERSION_NAME TRAFFIC CONFIG BINDINGS BUNDLE CAUSE"
_OF_CALLS = "COMMIT TRIGGERS CHECK DEPLOYMENT_NUMBER FENCE LINEAGE"
NO_SETTINGS = frozenset(f"{PREFIX}{name}" for name in f"{_ABOUT_RELEASES} {_OF_CALLS}".split())
"""What a target's command finds in its environment: it may call `reconciler` too."""


def _shown(value: object) -> str:
    match value:
        case str():
            return quoted(value)
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case None:
            return "an empty value"
        case _:
            return "a list" if isinstance(value, list | tuple) else "a mapping"


def _taking(what: str) -> WrapValidator:
    """Says what a setting takes, whatever it was that did not fit."""

    def read(value: object, inner: ValidatorFunctionWrapHandler) -> object:
        try:
            return inner(value)
        except ValidationError:
            raise refusal(f"{_shown(value)} cannot stand here", f"write {what}") from None

    return WrapValidator(read)


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        said = "has no unit" if isinstance(value, int | float) and not isinstance(value, bool) else "cannot stand here"
        raise refusal(f"{_shown(value)} {said}", "write a number and a unit: 90s, 15m, 2h, 7d or 1h30m")
    try:
        length = schedule.duration(value)
    except ScheduleError as error:
        raise refusal(error.message, error.next_step) from None
    if not length:
        raise refusal(f"{quoted(value)} is no time at all", "write 1s or more")
    return length


def _group(value: object) -> object:
    """A key with nothing below it sets nothing. What stands there instead may be an address with a password."""
    if value is None:
        return {}
    if isinstance(value, str | int | float | list):
        raise refusal("it has settings of its own, and no value", "write them below it, indented")
    return value


_STORE = "write sqlite:/// and the path of a file, such as sqlite:///state/reconciler.db, or a postgresql:// address"


def _lasting(url: str) -> str:
    """A store outlasts the process, or everything would be deployed anew with each start."""
    sqlite = re.fullmatch(r"sqlite(?:\+\w+)?:(?P<slashes>/*)(?P<file>[^?]*)(?P<options>\?.*)?", url, re.DOTALL)
    if sqlite is None:
        return url
    if sqlite["options"] is not None:
        raise refusal("the address of a SQLite file takes no options: nothing may stand behind a '?'", _STORE)
    if (not sqlite["file"] and len(sqlite["slashes"]) <= 3) or sqlite["file"] == ":memory:":
        raise refusal("a store in memory would be gone with the process", _STORE)
    if len(sqlite["slashes"]) < 3 or sqlite["file"].startswith("file:"):
        raise refusal("this does not name the file of a store", _STORE)
    return url


Length = Annotated[timedelta, BeforeValidator(_duration)]
Word = Annotated[str, Field(strict=True, min_length=1), _taking("a text that is not empty, in quotes if need be")]
Switch = Annotated[bool, _taking("true or false")]
_WORKERS, _HISTORY = 256, 1_000_000
_PREFIX = r"^[A-Za-z0-9_][A-Za-z0-9_-]*(/[A-Za-z0-9_][A-Za-z0-9_-]*)*/?$"
_IDENTITY = r"^[^<>[:cntrl:]]*[[:alnum:]][^<>[:cntrl:]]*<[^<>[:space:][:cntrl:]]+@[^<>[:space:][:cntrl:]]+>$"


def _no_reference(prefix: str) -> str:
    if f"{prefix}/".startswith("refs/"):
        raise ValueError
    return prefix


Prefix = Annotated[
    str,
    Field(strict=True, pattern=_PREFIX, max_length=60),
    AfterValidator(_no_reference),
    _taking("how the name of a branch may begin, such as reconciler/"),
]
Identity = Annotated[
    str, Field(strict=True, pattern=_IDENTITY, max_length=200), _taking('"Name <name@example.org>", in quotes')
]
KeyFile = Annotated[str | None, Field(strict=True, min_length=1), _taking("the path of a file with keys")]


@shape
class RepositorySettings:
    """The desired state: which repository, branch and path are followed, and how often it is looked at."""

    url: Word = "./desired.git"
    branch: Word = "main"
    path: Annotated[str, Field(strict=True), _taking("a directory of the repository, or . for all of it")] = "."
    interval: Length = timedelta(seconds=30)
    allow_rewrites: Switch = False
    history: Annotated[int, Field(ge=1, le=_HISTORY), _taking(f"a whole number from 1 to {_HISTORY:,}")] = 10_000
    """How many commits of an existing history are read at the very first start, to number versions."""


@shape
class StateSettings:
    """The recorded state: where the database is."""

    url: Annotated[Word, AfterValidator(_lasting)] = "sqlite:///state/reconciler.db"
    lease: Length = timedelta(seconds=15)
    """How long one of several daemons may not be heard of before the others take its work over; on PostgreSQL."""


@shape
class ApiSettings:
    """Where the HTTP API listens."""

    listen: Word = "127.0.0.1:8080"


@shape
class WriteSettings:
    """What the daemon may write into the desired repository: branches of its own, never the one that is followed."""

    branches: Switch = True
    """Whether the commit that takes back what was rolled back is written onto a branch, ready for a pull request."""
    push: Switch = True
    """Whether it is pushed; else it stays in the mirror, in the data directory."""
    prefix: Prefix = "reconciler/"
    """How the names of such branches begin."""
    author: Identity = "reconciler <reconciler@localhost>"
    """Who makes such commits; a person who went back is their author."""

    @property
    def name(self) -> str:
        """The name of the author."""
        return self.author.partition("<")[0].strip()

    @property
    def email(self) -> str:
        """The address of the author."""
        return self.author.partition("<")[2].rstrip("> ")


@shape
class SignerSettings:
    """Whose signatures count where an environment asks for signed commits."""

    ssh: KeyFile = None
    """An allowed-signers file, as git's `gpg.ssh.allowedSignersFile` names one."""
    gpg: KeyFile = None
    """A file of exported public keys, or a GnuPG home directory that is kept for this: every key in it counts."""


@shape
class Settings:
    """Everything that can be set."""

    repository: Annotated[RepositorySettings, BeforeValidator(_group)] = Field(default_factory=RepositorySettings)
    state: Annotated[StateSettings, BeforeValidator(_group)] = Field(default_factory=StateSettings)
    data: Word = "state"
    """Directory for the mirror, releases and locks."""
    api: Annotated[ApiSettings, BeforeValidator(_group)] = Field(default_factory=ApiSettings)
    write: Annotated[WriteSettings, BeforeValidator(_group)] = Field(default_factory=WriteSettings)
    signers: Annotated[SignerSettings, BeforeValidator(_group)] = Field(default_factory=SignerSettings)
    workers: Annotated[int, Field(ge=1, le=_WORKERS), _taking(f"a whole number from 1 to {_WORKERS}")] = 16
    """How many deployments are carried out at the same time, over all environments."""
    drain: Length = timedelta(seconds=30)
    """How long running deployments may go on after a TERM; what is not done by then is taken up at the next start."""
    full_pass: Length = timedelta(hours=1)
    """How often every app is planned anew, whether or not something marked it."""

    @property
    def place(self) -> Path:
        """The data directory, absolute."""
        return Path(self.data).absolute()

    @property
    def mirror(self) -> Path:
        """Where the mirror of the followed branch is kept; it may not be there yet."""
        return self.place / "mirror.git"

    @property
    def root(self) -> str:
        """The followed path inside the repository, '' for all of it."""
        plain = posixpath.normpath(self.repository.path.strip("/"))
        return "" if plain == "." else plain

    def nudge(self) -> None:
        """Make a daemon on this data directory look; without one nothing happens."""
        if self.place.is_dir():
            (self.place / NUDGE).touch()


SETTINGS = TypeAdapter(Settings)
Place = tuple[str, ...]
"""The names that lead to a setting: ("repository", "url")."""


_GROUPS: dict[str, type[Any]] = {
    "repository": RepositorySettings,
    "state": StateSettings,
    "api": ApiSettings,
    "write": WriteSettings,
    "signers": SignerSettings,
}


def _known(of: type[Any] = Settings, above: Place = ()) -> Iterator[Place]:
    groups = _GROUPS if not above else {}
    for field in fields(of):
        if field.name in groups:
            yield from _known(groups[field.name], (field.name,))
        else:
            yield (*above, field.name)


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
        if not above:
            yield from _twice(value, path, name)


def _places(node: Any, path: str, above: Place = ()) -> Iterator[tuple[Place, str]]:
    """Where each key stands: those of the file and those one level below, since there are no others."""
    for key, value in node.value:
        here = (*above, str(key.value))
        yield here, f"{path}:{key.start_mark.line + 1}"
        if isinstance(value, yaml.MappingNode) and not above:
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
        group = given.values
        for part in place[:-1]:
            if group.get(part) is None:
                group[part] = {}
            group = group[part]
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
