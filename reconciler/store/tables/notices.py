"""Which rows say what leaves: who is to be told of what, and how the telling went?"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, UniqueConstraint, text

from reconciler.store.tables.schema import Serial, metadata
from reconciler.store.types import TEXT, Json, Moment, letters

GATHERED = text("message IS NULL")
OPEN = text("status IN ('waiting', 'sending')")

notified = Table(
    "notified",
    metadata,
    Column("id", Integer, primary_key=True),  # one row
    Column("position", BigInteger, nullable=False),  # the newest ledger row that notices were made of
    Column("clock", Moment, nullable=False),  # up to when what the clock brings was told
    Column(
        "lineage", letters(40), nullable=False
    ),  # of the store, as it was then: with another one nothing old is told
)

notices = Table(
    "notices",
    metadata,
    Column("sequence", Serial, primary_key=True),
    Column("alert", letters(200), nullable=False),
    Column("fact", letters(200), nullable=False),  # `ledger:` and its sequence number, or what the clock brought
    Column("at", Moment, nullable=False),
    Column("event", letters(40), nullable=False),
    Column("app", letters(200), nullable=False),
    Column("environment", letters(200), nullable=False),
    Column("said", Json, nullable=False),  # the fields of a template
    Column("message", letters(32)),  # which it is sent with
    # One notice for each fact and alert.
    UniqueConstraint("alert", "fact", name="notices_fact"),
    Index("notices_gathered", "alert", "sequence", sqlite_where=GATHERED),
    Index("notices_message", "message"),
    Index("notices_at", "at"),
)

messages = Table(
    "messages",
    metadata,
    Column("sequence", Serial, primary_key=True),
    Column("id", letters(32), nullable=False, unique=True),  # goes along with each attempt
    Column("channel", letters(10), nullable=False),  # alert, forge, notes
    Column("alert", letters(200), nullable=False),
    Column("stream", letters(300), nullable=False),  # what belongs together is sent in order
    Column("to", TEXT, nullable=False),  # where the address is found, never the address
    Column("content", Json, nullable=False),
    Column("notices", Integer, nullable=False),
    Column("status", letters(10), nullable=False),  # waiting, sending, sent, failed, dropped
    Column("attempts", Integer, nullable=False),
    Column("uncertain", Boolean, nullable=False),  # an attempt was made whose answer was lost
    Column("made_at", Moment, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("error", TEXT),
    Index("messages_open", "next_at", "sequence", sqlite_where=OPEN),
    Index("messages_made", "made_at"),
    Index("messages_stream", "stream"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("sequence", Serial, primary_key=True),
    Column("message", letters(32), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", letters(10), nullable=False),  # sending, sent, failed, unknown
    Column("detail", TEXT, nullable=False),
    Index("deliveries_message", "message"),
    Index("deliveries_at", "at"),
)

announced = Table(
    "announced",
    metadata,
    Column("alert", letters(200), primary_key=True),
    Column("edge", letters(32), primary_key=True),  # cause, app, environment, name and moment
    Column("cause", letters(20), nullable=False),
    Column("app", letters(200), nullable=False),
    Column("environment", letters(200), nullable=False),
    Column("name", TEXT, nullable=False),
    Column("at", Moment, nullable=False),
    Column("detail", TEXT, nullable=False),
    Index("announced_at", "at"),
)

records = Table(
    "forge_records",
    metadata,
    Column("deployment", letters(40), primary_key=True),
    Column("number", BigInteger, nullable=False),  # of the record at the forge
    Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

obstacles = Table(
    "obstacles",
    metadata,
    Column("app", letters(200), primary_key=True),
    Column("environment", letters(200), primary_key=True),
    Column("kind", letters(10), primary_key=True),  # refused, approval, or what is waited for
    Column("mark", letters(200), primary_key=True),  # of the rule, or of what stands at the gate; else ''
    Column("since", Moment, nullable=False),
    sqlite_with_rowid=False,
)
