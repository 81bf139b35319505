"""How does a statement of every turn reach the database, without being worked out anew each time?

SQLAlchemy writes the text, once for each kind of database; from then on the driver gets that text and the values.
A turn carries out dozens of statements of which each concerns a row or two: SQLAlchemy's own way of carrying one out
costs many times what the database needs for it. What is asked rarely goes through SQLAlchemy all the same.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import (
    CTE,
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    String,
    bindparam,
    literal_column,
    select,
    text,
)
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TupleType

_Process = Callable[[Any], Any]
_PLAIN = (String, Integer, Boolean)
_OUTSPOKEN: dict[type[SQLCompiler], type[SQLCompiler]] = {}
MOST = 16_384
"""Values that a statement is asked about at a time: PostgreSQL takes 65,535 parameters, and SQLite has a limit too."""


def many(name: str) -> BindParameter[Any]:
    """A parameter that is as many values as there are when its statement is carried out."""
    return bindparam(name, expanding=True)


def given(name: str, **columns: ColumnElement[Any]) -> CTE:
    """A table to join: the rows that a parameter is when its statement is carried out, one or more tuples of values
    such as these columns hold. A row that is given twice stands in it once."""
    rows = bindparam(name, expanding=True, type_=TupleType(*(one.type for one in columns.values())))
    # Both databases call the columns of rows that are told so.
    told = [literal_column(f"column{at}", one.type).label(label) for at, (label, one) in enumerate(columns.items(), 1)]
    return select(*told).distinct().select_from(text(f":{name} AS told").bindparams(rows)).cte(name)


class Answer(list[Any]):
    """Rows, with their columns as attributes."""

    def scalars(self) -> list[Any]:
        """The first column."""
        return [row[0] for row in self]

    def scalar(self) -> Any:
        """The first column of the first row; None when there is no row."""
        return self[0][0] if self else None

    def one_or_none(self) -> Any:
        """The only row; None when there is no row."""
        return self[0] if self else None


class Prepared:
    """A statement that is made once and carried out often, with values for its parameters by name.

    An insertion or an update that names no columns has those of the rows that it is carried out for.

    All rows of an answer are read at once: it is for statements whose answers are small.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._written: dict[str, _Written] = {}
        self._texts: dict[tuple[Any, ...], _Text] = {}

    def run(self, connection: Connection, **values: Any) -> Answer:
        """Carry it out; the rows it finds."""
        return self._run(connection, values)

    def change(self, connection: Connection, **values: Any) -> int:
        """Carry it out; how many rows it changed."""
        return self._change(connection, values)

    def each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Carry an insertion or an update out for each of these rows, which have the same columns."""
        if not rows:
            return
        key = (connection.dialect.name, *rows[0])
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = _Text(_Written(self._statement, connection.dialect, list(rows[0])), {})
        cursor = _cursor(connection)
        if len(rows) == 1:
            cursor.execute(text.sql, text.arguments(rows[0]))
        else:
            cursor.executemany(text.sql, [text.arguments(row) for row in rows])

    def _run(self, connection: Connection, values: dict[str, Any]) -> Answer:
        text, cursor = self._text(connection.dialect, values), _cursor(connection)
        cursor.execute(text.sql, text.arguments(values))
        return text.rows(cursor)

    def _change(self, connection: Connection, values: dict[str, Any]) -> int:
        text, cursor = self._text(connection.dialect, values), _cursor(connection)
        cursor.execute(text.sql, text.arguments(values))
        return int(cursor.rowcount)

    def _text(self, dialect: Dialect, values: dict[str, Any]) -> _Text:
        written = self._written.get(dialect.name)
        if written is None:
            written = self._written[dialect.name] = _Written(self._statement, dialect, None)
        lists = written.lists
        for name in lists:
            values[name] = _filled(values[name])
        key = (dialect.name, *[len(values[name]) for name in lists])
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = _Text(written, {name: len(values[name]) for name in lists})
        for name in written.parts:  # a text has a place for each value of a row
            values[name] = [value for row in values[name] for value in row]
        return text


class Among(Prepared):
    """A statement about the rows in which a column has one of several values."""

    def __init__(self, statement: Any, column: ColumnElement[Any]) -> None:
        super().__init__(statement.where(column.in_(many("among"))))

    def run(self, connection: Connection, among: Iterable[Any], **values: Any) -> Answer:  # type: ignore[override]
        """Carry it out; the rows it finds, in the statement's order for each `MOST` of the values."""
        several = list(among)
        if len(several) <= MOST:
            return self._run(connection, {**values, "among": several})
        return Answer(row for some in _pieces(several) for row in self._run(connection, {**values, "among": some}))

    def change(self, connection: Connection, among: Iterable[Any], **values: Any) -> int:  # type: ignore[override]
        """Carry it out; how many rows it changed."""
        several = list(among)
        if len(several) <= MOST:
            return self._change(connection, {**values, "among": several})
        return sum(self._change(connection, {**values, "among": some}) for some in _pieces(several))


def side_by_side(first: Iterable[Any], second: Iterable[Any], size: int = MOST // 2) -> Iterator[tuple[list[Any], ...]]:
    """Pieces of two lists, for a statement that asks about both; no piece where both are empty."""
    both = list(first), list(second)
    for start in range(0, max(len(both[0]), len(both[1])), size):
        yield tuple(one[start : start + size] for one in both)


def _pieces(several: list[Any]) -> Iterable[list[Any]]:
    return (several[start : start + MOST] for start in range(0, len(several), MOST))


def _cursor(connection: Connection) -> Any:
    """The driver's own: each look at it through SQLAlchemy's is a call more."""
    return cast(Any, connection.connection.dbapi_connection).cursor()


def _filled(several: Iterable[Any]) -> list[Any]:
    """Lengthened to a power of two by repeating a value, which finds no other rows: so there are few texts."""
    values = list(several)
    if len(values) > 2:
        values += values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values))
    return values


def _outspoken(compiler: type[SQLCompiler]) -> type[SQLCompiler]:
    """Writes what never changes into the text itself.

    Where a value is a parameter that an index is partial by (`status = ?`), SQLite makes its plan anew each time that
    it is given one, which takes ten times as long as to carry it out; and PostgreSQL's plan for all values finds no
    such index at all.
    """
    known = _OUTSPOKEN.get(compiler)
    if known is not None:
        return known

    def visit_bindparam(self: SQLCompiler, bindparam: BindParameter[Any], **options: Any) -> str:
        if not bindparam.required and bindparam.value is not None and isinstance(bindparam.type, _PLAIN):
            options["literal_binds"] = True
        text: str = cast(Any, compiler).visit_bindparam(self, bindparam, **options)
        rows = isinstance(bindparam.type, TupleType) and not self.dialect.tuple_in_values
        return f"(VALUES {text[1:-1]})" if rows else text

    made: type[SQLCompiler] = type("Outspoken", (compiler,), {"visit_bindparam": visit_bindparam})
    _OUTSPOKEN[compiler] = made
    return made


class _Written:
    """A statement in the words of one kind of database, whatever lengths its lists have.

    It is what SQLAlchemy takes longest for: once for each statement, and not for each length.
    """

    def __init__(self, statement: Any, dialect: Dialect, columns: list[str] | None) -> None:
        self.dialect = dialect
        self.compiled = _outspoken(dialect.statement_compiler)(dialect, statement, column_keys=columns)
        binds = self.compiled.binds
        self.constants = {name: one.value for name, one in binds.items() if not one.required}
        self.lists = [name for name, one in binds.items() if one.expanding and one.required]
        # Of a list of rows, see `given`: the type of each value of a row.
        self.parts = {name: one.type.types for name, one in binds.items() if isinstance(one.type, TupleType)}
        # Of an insertion or a change: what it returns.
        self.types = [column.type for column in getattr(statement, "exported_columns", ())]


class _Text:
    """A statement as one kind of database is told it, for lists of certain lengths."""

    def __init__(self, written: _Written, sizes: Mapping[str, int]) -> None:
        compiled, dialect, parts = written.compiled, written.dialect, written.parts
        self._constants = written.constants
        row = {name: (None,) * len(types) for name, types in parts.items()}
        blank = {name: [row.get(name)] * sizes[name] if name in sizes else None for name in compiled.binds}
        state = compiled.construct_expanded_state({**blank, **self._constants})
        self.sql = state.statement
        self._dialect, self._types = dialect, written.types
        # How a row of the answer is made, and which of its values come back as something else; None before the first.
        self._read: tuple[Any, list[tuple[int, _Process]]] | None = None
        places = {
            name: (whole, place)
            for whole, names in state.parameter_expansion.items()
            for place, name in enumerate(names)
        }
        names = state.positiontup if compiled.positional else list(state.parameters)
        self._names = None if compiled.positional else names
        slots = [places.get(name, (name, None)) for name in names or ()]
        self._pick = _picker(slots)
        types = {name: parts.get(name, (one.type,)) for name, one in compiled.binds.items()}
        each = [types[name][(place or 0) % len(types[name])] for name, place in slots]
        kinds = [kind.dialect_impl(dialect).bind_processor(dialect) for kind in each]
        self._given = [(at, process) for at, process in enumerate(kinds) if process is not None]

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """What the driver is given besides the text."""
        known = {**self._constants, **values} if self._constants else values
        found = self._pick(known)
        for at, process in self._given:
            value = found[at]
            if value is not None:  # which is None in every type of ours
                found[at] = process(value)
        return found if self._names is None else dict(zip(self._names, found, strict=True))

    def rows(self, cursor: Any) -> Answer:
        """What the driver found."""
        read = self._read
        if read is None:
            # Threads that are the first together learn the same: what one of them has learnt is whole, or not there.
            read = self._read = self._learnt(cursor.description)
        make, cells = read
        if not cells:
            return Answer(map(make, cursor))
        found = Answer()
        for row in cursor:
            values = list(row)
            for place, process in cells:
                value = values[place]
                if value is not None:
                    values[place] = process(value)
            found.append(make(values))
        return found

    def _learnt(self, description: Sequence[Sequence[Any]]) -> tuple[Any, list[tuple[int, _Process]]]:
        """How values come back is known when the driver has answered once."""
        cells: list[tuple[int, _Process]] = []
        for place, (kind, said) in enumerate(zip(self._types, description, strict=True)):
            process = kind.dialect_impl(self._dialect).result_processor(self._dialect, said[1])
            if process is not None:
                cells.append((place, getattr(process, "present", process)))
        made: Any = namedtuple("Row", [said[0] for said in description])  # type: ignore[misc]
        return partial(tuple.__new__, made), cells


def _picker(slots: Sequence[tuple[str, int | None]]) -> Callable[[Mapping[str, Any]], list[Any]]:
    """Takes the values of these parameters: of one that is a list, the one at a place."""
    if len(slots) > 1 and all(place is None for _, place in slots):
        pick = itemgetter(*(name for name, _ in slots))
        return lambda known: list(pick(known))
    return lambda known: [known[name] if place is None else known[name][place] for name, place in slots]
