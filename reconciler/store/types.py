"""How do texts, moments and JSON values look in a column, the same in both databases?"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import from_json
from sqlalchemy import BigInteger, Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from reconciler.model.canonical import canonical

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""A text of any length."""


def letters(most: int) -> String:
    """A text of at most so many letters."""
    return String(most).with_variant(String(most, collation="C"), "postgresql")


# Texts are compared by code point: SQLite and Python know no other order, and where names begin alike is asked with it
# (`path >= 'shop/'`). PostgreSQL would take the order of the language that its database was made for.

# Each type says itself how a value goes in and comes out, once for both databases: SQLAlchemy's ready-made way to do
# so calls three functions a value, and there are hundreds in a turn.


class Moment(TypeDecorator[datetime]):
    """A UTC instant as whole microseconds since 1970: exact, ordered, and aware on the way out in every database."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:  # noqa: ARG002
        return _microseconds

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:  # noqa: ARG002
        return _moment


class Json(TypeDecorator[Any]):
    """A JSON value as its canonical text, so that both databases hold the same bytes."""

    impl = TEXT
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:  # noqa: ARG002
        return _text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Any]:  # noqa: ARG002
        return _value


class Written(str):
    """The canonical text of a JSON value: it is recorded as it is."""

    __slots__ = ()


class WrittenJson(TypeDecorator[Written]):
    """A JSON value whose text is not read."""

    impl = TEXT
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Written | None]:  # noqa: ARG002
        return _written


def _written(text: str | None) -> Written | None:
    return None if text is None else Written(text)


def _microseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone cannot be stored")
    return (moment - EPOCH) // MICROSECOND


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


def _text(value: Any) -> str | None:
    if type(value) is Written:
        return str(value)
    return None if value is None else canonical(value)


def _value(text: str | None) -> Any:
    return None if text is None else from_json(text)


# `statements` asks only for what is there: without a function of ours around it, thousands of times in a turn.
_value.present = from_json  # type: ignore[attr-defined]
_written.present = Written  # type: ignore[attr-defined]
