"""Which settings hold: built-in defaults, a file over them, `RECONCILER_…` variables over that?

`RECONCILER_REPOSITORY__URL` is `repository.url`. What the settings are used for is decided in `wiring`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from reconciler import schedule
from reconciler.errors import ReconcilerError, WrongUse
from reconciler.model.shape import shape

DEFAULT_FILE = "reconciler.yaml"
PREFIX = "RECONCILER_"
LARGEST = 1 << 20
NUDGE = "nudge"
"""A file in the data directory; touching it makes the daemon look."""


def _duration(value: object) -> object:
    return schedule.duration(value) if isinstance(value, str) else value


Length = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0))]


@shape
class RepositorySettings:
    """The desired state: which repository, branch and path are followed, and how often it is looked at."""

    url: str = "./desired.git"
    branch: str = "main"
    path: str = "."
    interval: Length = timedelta(seconds=30)
    allow_rewrites: bool = False
    history: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """How many commits of an existing history are read at the very first start, to number versions."""


@shape
class StateSettings:
    """The recorded state: where the database is."""

    url: str = "sqlite:///state/reconciler.db"


@shape
class ApiSettings:
    """Where the HTTP API listens."""

    listen: str = "127.0.0.1:8080"


@shape
class Settings:
    """Everything that can be set."""

    repository: RepositorySettings = Field(default_factory=RepositorySettings)
    state: StateSettings = Field(default_factory=StateSettings)
    data: str = "state"
    """Directory for the mirror, releases and locks."""
    api: ApiSettings = Field(default_factory=ApiSettings)
    workers: Annotated[int, Field(ge=1, le=256)] = 16
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
        path = self.repository.path
        return "" if path in (".", "", "/") else path.strip("/").removeprefix("./")

    def nudge(self) -> None:
        """Make a daemon on this data directory look; without one nothing happens."""
        if self.place.is_dir():
            (self.place / NUDGE).touch()


SETTINGS = TypeAdapter(Settings)


def load(file: str | None, environ: Mapping[str, str]) -> Settings:
    """The settings in force. Raises WrongUse with every mistake at once, naming file or variable."""
    values = _from_file(file)
    _overlay(values, environ)
    try:
        return SETTINGS.validate_python(values)
    except ValidationError as error:
        raise WrongUse(_said(error), f"correct {file or DEFAULT_FILE} or the {PREFIX}… variables") from error


def _from_file(file: str | None) -> dict[str, Any]:
    path = Path(file or DEFAULT_FILE)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        if file is None:
            return {}
        raise WrongUse(f"there is no settings file {file}", "name another with --config, or leave it out") from None
    except OSError as error:
        raise WrongUse(f"the settings file {path} cannot be read: {error.strerror}", "check its rights") from error
    if len(text) > LARGEST:
        raise WrongUse(f"the settings file {path} is too large", "it should have a few lines")
    try:
        values = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise WrongUse(f"the settings file {path} is no YAML: {_first_line(error)}", "correct it") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise WrongUse(f"the settings file {path} holds no settings", "write keys such as repository: and state:")
    return values


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _overlay(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    known = {field.name for field in fields(Settings)}
    for name, value in environ.items():
        parts = name.removeprefix(PREFIX).lower().split("__")
        if not name.startswith(PREFIX) or parts[0] not in known:
            continue
        at = values
        for part in parts[:-1]:
            inner = at.get(part)
            if not isinstance(inner, dict):
                inner = at[part] = {}
            at = inner
        at[parts[-1]] = value


def _said(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, wrong['loc'])) or 'settings'}: {_sentence(wrong)}" for wrong in error.errors()
    )


def _sentence(wrong: Any) -> str:
    if wrong["type"] == "unexpected_keyword_argument":
        shapes = (Settings, RepositorySettings, StateSettings, ApiSettings)
        names = [field.name for shape_of in shapes for field in fields(shape_of)]
        near = difflib.get_close_matches(str(wrong["loc"][-1]), names, 1)
        return "there is no such setting" + (f", did you mean {near[0]}?" if near else "")
    context = wrong.get("ctx", {}).get("error")
    return context.message if isinstance(context, ReconcilerError) else str(wrong["msg"])
