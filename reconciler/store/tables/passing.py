"""Which rows say what has passed a gate, and what is held?"""

from sqlalchemy import Boolean, Column, Index, Integer, Table

from reconciler.store.tables.schema import Serial, metadata
from reconciler.store.types import TEXT, Json, Moment, letters

approvals = Table(
    "approvals",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("app", letters(200), nullable=False),
    Column("environment", letters(200), nullable=False),
    Column("key", letters(64), nullable=False),  # of what was approved: another plan has another key
    Column("actor", TEXT, nullable=False),
    Column("role", letters(100)),
    Column("reason", TEXT, nullable=False),
    Column("at", Moment, nullable=False),
    Index("approvals_app", "app", "environment", "key"),
)

requests = Table(
    "requests",
    metadata,
    Column("key", letters(64), primary_key=True),  # what stands or stood at a gate, and waits for a person
    Column("app", letters(200), nullable=False),
    Column("environment", letters(200), nullable=False),
    Column("since", Moment, nullable=False),
)

checks = Table(
    "checks",
    metadata,
    Column("app", letters(200), primary_key=True),
    Column("environment", letters(200), primary_key=True),
    Column("key", letters(64), primary_key=True),
    Column("name", letters(100), primary_key=True),
    Column("verdict", letters(10), nullable=False),  # running, passed, failed
    Column("definition", Json, nullable=False),
    Column("traffic", Json, nullable=False),
    Column("config", Json, nullable=False),  # the environment's settings that it would enter with
    Column("commit", letters(64)),
    Column("at", Moment, nullable=False),  # when it was asked for; then when it ended
    Column("next_attempt_at", Moment),  # it said that it cannot tell yet
    Column("detail", TEXT, nullable=False),
    Column("output", TEXT, nullable=False),
    Index("checks_running", "verdict", "at"),
)

overrides = Table(
    "overrides",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),  # of the commit that carries the trailer
    Column("kind", letters(10), primary_key=True),  # freeze, rollback
    Column("app", letters(200), primary_key=True),  # '' for a freeze: what the commit changes
    Column("environment", letters(200), primary_key=True),
    Column("commit", letters(64), nullable=False),
    Column("author", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("at", Moment, nullable=False),
    Index("overrides_app", "app", "environment"),
    Index("overrides_commit", "commit"),
)

holds = Table(
    "holds",
    metadata,
    Column("app", letters(200), primary_key=True),
    Column("environment", letters(200), primary_key=True),
    Column("by", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("since", Moment, nullable=False),
    Column("traffic", Json, nullable=False),  # what a person wants to run; empty: what ran well last
    Column("deployment", letters(40)),  # the one that went wrong or was left
    Column("version", letters(80)),  # what is to be taken back in git
    Column("branch", TEXT),  # where the commit is that makes git say the same
    Column("branch_commit", letters(64)),
    Column("trouble", TEXT),  # why the branch could not be written
    Column("again_at", Moment),  # when writing it is tried again
)

signatures = Table(
    "signatures",
    metadata,
    Column("commit", letters(64), primary_key=True),
    Column("good", Boolean, nullable=False),
    Column("detail", TEXT, nullable=False),
    Column("keys", letters(64), nullable=False),  # a digest of the keys that it was judged by
    Column("at", Moment, nullable=False),
)
