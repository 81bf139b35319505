"""Which rows say who may ask over HTTP, and what was reported, or is to start, elsewhere?"""

from sqlalchemy import Column, Index, Integer, Table, UniqueConstraint, text

from reconciler.store.tables.schema import Serial, metadata
from reconciler.store.types import TEXT, Json, Moment, letters

UNENDED = text("status IN ('pending', 'started')")
WANTED = text("over = ''")

tokens = Table(
    "tokens",
    metadata,
    Column("id", letters(16), primary_key=True),  # the part of a token that may be seen
    Column("name", letters(200), nullable=False),  # who acts with it, as the ledger says
    Column("digest", letters(64), nullable=False),  # of the secret part; the token itself is nowhere
    Column("scopes", Json, nullable=False),
    Column("roles", Json, nullable=False),  # in which its holder approves
    Column("created_at", Moment, nullable=False),
    Column("created_by", TEXT, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("revoked_by", TEXT),
    Column("used_at", Moment),  # roughly: a use within the same hour is not written again
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", letters(64), primary_key=True),  # of what the cookie holds
    Column("actor", TEXT, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("roles", Json, nullable=False),  # in which its holder approves
    Column("token", letters(16)),  # the token that it was begun with: revoked, it ends too
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index("sessions_expires", "expires_at"),
)

reports = Table(
    "reports",
    metadata,
    Column("sequence", Serial, primary_key=True),
    Column("id", letters(40), nullable=False, unique=True),
    Column("app", letters(200), nullable=False),
    Column("environment", letters(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("version", TEXT, nullable=False),  # as whoever deployed it calls it
    Column("status", letters(10), nullable=False),
    Column("deployed_by", TEXT, nullable=False),
    Column("scm_branch", TEXT),
    Column("scm_sha", TEXT),
    Column("build_url", TEXT),
    Column("extra_metadata", Json, nullable=False),
    Column("error", TEXT),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    UniqueConstraint("app", "environment", "number", name="reports_number"),
    # One at a time, and the same event twice is one.
    Index("reports_active", "app", "environment", "version", unique=True, sqlite_where=UNENDED),
    Index("reports_version", "app", "environment", "version", "sequence"),
    Index("reports_app", "app", "sequence"),
    Index("reports_environment", "environment", "sequence"),
    Index("reports_created", "created_at", "sequence"),
)

starts = Table(
    "starts",
    metadata,
    Column("key", letters(64), primary_key=True),  # as approvals of it are filed
    Column("app", letters(200), nullable=False),
    Column("environment", letters(200), nullable=False),
    Column("version", TEXT, nullable=False),  # as whoever deploys it calls it
    Column("kind", letters(10), nullable=False),
    Column("people", Json, nullable=False),  # whose approval does not count
    Column("since", Moment, nullable=False),  # when it was refused first
    Column("asked_at", Moment, nullable=False),  # when somebody last wanted it
    Column("over", TEXT, nullable=False),  # why nobody waits for it any more; '' while somebody does
    Index("starts_wanted", "app", "environment", sqlite_where=WANTED),
    Index("starts_app", "app"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("forge", letters(20), primary_key=True),
    Column("delivery", letters(100), primary_key=True),  # seen before: it is a replay
    Column("at", Moment, nullable=False),
    Index("webhooks_at", "at"),
    sqlite_with_rowid=False,
)
