"""Which tables are there, and what is one row of each?

The schema as it is now; `migrations/` brings an older database to it, and a test proves that they agree.
"""

from reconciler.store.tables.daemons import daemons, leadership
from reconciler.store.tables.declared import (
    apps,
    brakes,
    commits,
    declarations,
    dependencies,
    files,
    merged,
    placements,
    repository,
    touches,
    triggers,
)
from reconciler.store.tables.drifts import drifts
from reconciler.store.tables.faces import reports, sessions, starts, tokens, webhooks
from reconciler.store.tables.notices import announced, deliveries, messages, notices, notified, obstacles, records
from reconciler.store.tables.passing import approvals, checks, holds, overrides, requests, signatures
from reconciler.store.tables.recorded import (
    ACTIVE,
    deployments,
    interventions,
    ledger,
    occurrences,
    seals,
    suspicions,
    versions,
    withdrawals,
)
from reconciler.store.tables.schema import metadata, partial_in_postgresql

__all__ = [
    "ACTIVE",
    "announced",
    "approvals",
    "apps",
    "brakes",
    "checks",
    "commits",
    "daemons",
    "declarations",
    "deliveries",
    "dependencies",
    "deployments",
    "drifts",
    "files",
    "holds",
    "interventions",
    "leadership",
    "ledger",
    "merged",
    "messages",
    "metadata",
    "notices",
    "notified",
    "obstacles",
    "occurrences",
    "overrides",
    "partial_in_postgresql",
    "placements",
    "records",
    "reports",
    "repository",
    "requests",
    "seals",
    "sessions",
    "signatures",
    "starts",
    "suspicions",
    "tokens",
    "touches",
    "triggers",
    "versions",
    "webhooks",
    "withdrawals",
]
