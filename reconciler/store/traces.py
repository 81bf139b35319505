"""Of which answers of the store was something made, and would the store answer the same now?

Whatever is made of a store follows from the answers that it gave meanwhile. So it need not be said for each thing what
it depends on: the questions are noted as they go to the driver, and asked again later, which costs a fraction of what
was made of the answers. It can be told of SQLite, where a question is a call; over a network it would be as slow as
making the thing anew. Nothing may be traced that remembers answers of the store by itself: it does not ask again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self, TypeVar, cast

from sqlalchemy import Connection, exc

from reconciler.errors import ReconcilerError

_Made = TypeVar("_Made")
Question = tuple[str, tuple[Any, ...]]
_EACH = 200
"""Bytes that a question takes, about: its text is the same for all that ask it."""


class Noting(sqlite3.Connection):
    """A driver's connection that notes what it is asked, as long as somebody wants to know."""

    asked: dict[Question, None] | None = None
    before: Callable[[], None] | None = None
    """Called before each question."""

    def cursor(self, *given: Any, **named: Any) -> Any:
        """As the driver's own."""
        if self.before is not None:
            self.before()
        if self.asked is None:
            return super().cursor(*given, **named)
        return super().cursor(_Cursor)


class _Cursor(sqlite3.Cursor):
    def execute(self, statement: str, values: Any = (), /) -> Self:
        asked = cast(Noting, self.connection).asked
        if asked is not None:
            asked[statement, tuple(values)] = None
        return super().execute(statement, values)


@dataclass(frozen=True, slots=True)
class Trace:
    """Questions, and a digest of their answers."""

    questions: Sequence[Question]
    answers: bytes

    def holds(self, connection: Connection) -> bool:
        """Whether all of them are answered the same here."""
        return _answers(connection, self.questions) == self.answers

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return sum(_EACH + sum(len(one) for one in values if isinstance(one, str)) for _, values in self.questions)


def traced(connection: Connection, make: Callable[[], _Made]) -> tuple[_Made, Trace | None]:
    """What `make` makes of one state of the store, with its trace; None where a database cannot tell."""
    driver: Any = connection.connection.dbapi_connection
    if not isinstance(driver, Noting):
        return make(), None
    noted: dict[Question, None] = {}
    driver.asked = noted
    try:
        made = make()
    finally:
        driver.asked = None
    return made, Trace(tuple(noted), _answers(connection, tuple(noted)))


@contextmanager
def untraced(connection: Connection) -> Iterator[None]:
    """What is asked meanwhile belongs to no trace: whoever traces looks at it by other means."""
    driver: Any = connection.connection.dbapi_connection
    if not isinstance(driver, Noting):
        yield
        return
    asked, driver.asked = driver.asked, None
    try:
        yield
    finally:
        driver.asked = asked


@contextmanager
def asking_first(connection: Connection, before: Callable[[], None] | None) -> Iterator[None]:
    """`before` is called before each question that is asked meanwhile; it may raise one of our errors."""
    if before is None:
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    try:
        with _called_by(driver, before):
            yield
    except exc.StatementError as error:
        if isinstance(error.orig, ReconcilerError):
            raise error.orig from None  # it was taken for a mistake of the statement
        raise


@contextmanager
def _called_by(driver: Any, before: Callable[[], None]) -> Iterator[None]:
    """Each cursor that the driver makes is a question."""
    if isinstance(driver, Noting):
        driver.before = before
        try:
            yield
        finally:
            driver.before = None
        return
    factory = driver.cursor_factory

    def asked(*given: Any, **named: Any) -> Any:
        before()
        return factory(*given, **named)

    driver.cursor_factory = asked
    try:
        yield
    finally:
        driver.cursor_factory = factory


def _answers(connection: Connection, questions: Sequence[Question]) -> bytes:
    """All at once: what was asked last may follow from what was asked first, so it is rarely worth stopping early."""
    driver: Any = connection.connection.dbapi_connection
    cursor, digest = driver.cursor(), blake2b(digest_size=16)
    for statement, values in questions:
        digest.update(repr(cursor.execute(statement, values).fetchall()).encode("utf-8", "surrogatepass"))
    return digest.digest()
