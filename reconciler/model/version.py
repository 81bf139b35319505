"""What exactly would run, and how is it numbered?

A `Content` is what a digest is made of; a `Version` is the record that a commit published it. Versions never
change.
"""

import hashlib
import re
from typing import Literal

from pydantic import Field

from reconciler.model.app import AppSpec, Binding, SecretReference
from reconciler.model.canonical import canonical as canonical
from reconciler.model.shape import Config, Instant, shape
from reconciler.model.traffic import Allotment

TAG = re.compile(r"\[([A-Z][A-Z0-9_-]{1,30})\]")


@shape
class Content:
    """The state of an app's code and configuration. Same content, same digest, always."""

    app: str
    name: str | None = None
    bundle: str | None = None
    """The git tree id of the bundle: git's own content address, so no file is read for a digest."""
    image: str | None = None
    config: Config = Field(default_factory=dict)
    bindings: tuple[Binding, ...] = ()
    secrets: tuple[SecretReference, ...] = ()
    migrations: tuple[str, ...] = ()


def content_of(app: str, spec: AppSpec, bundle: str | None) -> Content:
    """The content that an app's declaration and its bundle's tree make."""
    return Content(
        app=app,
        name=spec.version,
        bundle=bundle,
        image=spec.image,
        config=spec.config,
        bindings=spec.bindings,
        secrets=spec.secrets,
        migrations=spec.migrations,
    )


def digest(content: Content) -> str:
    """The version id of a content: `sha256:` and 64 hexadecimal digits."""
    body = canonical(
        [
            content.app,
            content.name,
            content.bundle,
            content.image,
            content.config,
            [[binding.name, binding.type, binding.resource] for binding in content.bindings],
            [[secret.name, secret.source] for secret in content.secrets],
            list(content.migrations),
        ]
    )
    return "sha256:" + hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def tags_of(subject: str) -> tuple[str, ...]:
    """The tags in a commit's subject, such as `[HOTFIX]`, in order and once each."""
    return tuple(dict.fromkeys(TAG.findall(subject)))


@shape
class Author:
    """Who wrote a commit."""

    name: str
    email: str


@shape
class Version:
    """An immutable, content-addressed state of an app that a commit published."""

    id: str
    app: str
    number: int
    name: str | None
    message: str
    tags: tuple[str, ...]
    author: Author
    commit: str
    created_at: Instant
    source: Literal["git", "event"] = "git"
    bundle: str | None
    image: str | None
    config: Config
    bindings: tuple[Binding, ...]
    secrets: tuple[SecretReference, ...]
    migrations: tuple[str, ...]
    partial: bool = False
    """Made by a revert that other commits came in between of: new content, not the old one."""


def label(number: int, name: str | None) -> str:
    """How people call a version: its name, else `v` and its number."""
    return name or f"v{number}"


def spoken(traffic: tuple[Allotment, ...]) -> str:
    """A traffic split in words: `v12`, or `v11 90 %, v12 10 %`."""
    if not traffic:
        return "nothing"
    if len(traffic) == 1 and traffic[0].percent == 100:
        return label(traffic[0].number, traffic[0].name)
    return ", ".join(f"{label(part.number, part.name)} {part.percent:g} %" for part in traffic)
