"""Which pages does the application have, and what do they remember between two answers?"""

from __future__ import annotations

from fastapi import FastAPI

from reconciler.api.context import Context
from reconciler.api.dashboard.keeping import Pages
from reconciler.api.dashboard.live import Watch
from reconciler.api.dashboard.pages import (
    acting,
    alerts,
    app,
    calendar,
    compare,
    complaints,
    deployment,
    errors,
    ledger,
    matrix,
    metrics,
    signing_in,
    signing_in_oidc,
    version,
)

# What has more parts in its address comes before what would take them for a name.
PAGES = (
    matrix,
    compare,
    version,
    deployment,
    calendar,
    ledger,
    metrics,
    alerts,
    complaints,
    app,
    acting,
    signing_in,
    signing_in_oidc,
)


def install(application: FastAPI, context: Context) -> None:
    """Let an application have the pages."""
    application.state.pages = Pages()
    application.state.watch = Watch(context)
    application.state.verifying = ledger.Verifying()
    application.state.error_page = errors.page
    application.state.error_page_at_once = errors.at_once
    for page in PAGES:
        application.include_router(page.router)
