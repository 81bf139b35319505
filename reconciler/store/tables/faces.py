"""Which rows say who may ask over HTTP, and what was reported, or is to start, elsewhere?"""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from reconciler.store.tables.schema import Serial, metadata
from reconciler.store.types import Json, Moment

UNENDED = text("status IN ('pending', 'started')")
WANTED = text("over = ''")

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(16), primary_key=True),  # the part of a token that may be seen
    Column("name", String(200), nullable=False),  # who acts with it, as the ledger says
    Column("digest", String(64), nullable=False),  # of the secret part; the token itself is nowhere
    Column("scopes", Json, nullable=False),
    Column("roles", Json, nullable=False),  # in which its holder approves
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("revoked_by", Text),
    Column("used_at", Moment),  # roughly: a use within the same hour is not written again
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),  # of what the cookie holds
    Column("actor", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("roles", Json, nullable=False),  # in which its holder approves
    Column("token", String(16)),  # the token that it was begun with: revoked, it ends too
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index("sessions_expires", "expires_at"),
)

reports = Table(
    "reports",
    metadata,
    Column("sequence", Serial, primary_key=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("app", String(200), nullable=False),
    Column("environment", String(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("version", Text, nullable=False),  # as whoever deployed it calls it
    Column("status", String(10), nullable=False),
    Column("deployed_by", Text, nullable=False),
    Column("scm_branch", Text),
    Column("scm_sha", Text),
    Column("build_url", Text),
    Column("extra_metadata", Json, nullable=False),
    Column("error", Text),
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
    Column("key", String(64), primary_key=True),  # as approvals of it are filed
    Column("app", String(200), nullable=False),
    Column("environment", String(200), nullable=False),
    Column("version", Text, nullable=False),  # as whoever deploys it calls it
    Column("kind", String(10), nullable=False),
    Column("people", Json, nullable=False),  # whose approval does not count
    Column("since", Moment, nullable=False),  # when it was refused first
    Column("asked_at", Moment, nullable=False),  # when somebody last wanted it
    Column("over", Text, nullable=False),  # why nobody waits for it any more; '' while somebody does
    Index("starts_wanted", "app", "environment", sqlite_where=WANTED),
    Index("starts_app", "app"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("forge", String(20), primary_key=True),
    Column("delivery", String(100), primary_key=True),  # seen before: it is a replay
    Column("at", Moment, nullable=False),
    Index("webhooks_at", "at"),
    sqlite_with_rowid=False,
)
