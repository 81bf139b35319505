"""What is the application made of? Routes, refusals, documentation pages and the dashboard put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from reconciler import __version__
from reconciler.api import again, answers, documents, doors, origins, problems, revealed, shielding
from reconciler.api.context import Context
from reconciler.api.dashboard import every, rendering
from reconciler.api.dashboard.pages import acting
from reconciler.api.in_turn import InTurn
from reconciler.api.routes import (
    alerts,
    approvals,
    apps,
    calendar,
    deployment_events,
    deployments,
    drift,
    environments,
    figures,
    health,
    interventions,
    ledger,
    metrics,
    plan,
    promotions,
    status,
    versions,
    webhooks,
    why,
)
from reconciler.api.standing_back import GivingWay, StandingBack
from reconciler.telemetry.busy import Busy

ROUTERS = (
    health.router,
    interventions.router,
    promotions.router,
    deployment_events.router,
    webhooks.router,
    apps.router,
    approvals.router,
    status.router,
    environments.router,
    versions.router,
    deployments.router,
    plan.router,
    calendar.router,
    calendar.feeds,
    why.router,
    ledger.router,
    metrics.router,
    drift.router,
    figures.router,
    alerts.router,
    documents.router,
)
THREADS = 12
"""Requests that are answered at the same time, where an answer has to be found."""


def application(context: Context, busy: Busy | None = None) -> FastAPI:
    """The API over a store, with its pages; `busy` says when a daemon beside it is at work."""

    @asynccontextmanager
    async def life(_made: FastAPI) -> AsyncIterator[None]:
        made.openapi()  # which parameters there are is asked of it
        # As many as there are connections to a store; more would only take the interpreter from each other.
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        pages = rendering.templates()
        for name in pages.list_templates(["html"]):
            pages.get_template(name)  # read once, before many ask for the first page at the same time
        yield
        context.close()

    made = FastAPI(
        title="Reconciler",
        version=__version__,
        summary="What should run at this commit and at this moment, carried out and recorded.",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
        responses=problems.RESPONSES,
    )
    made.state.context = context
    made.state.ready = answers.Ready()
    terms = context.terms
    # The last one added is the first to see a request.
    if busy is not None:
        made.add_middleware(InTurn)
    made.add_middleware(again.Again, context=context)
    made.add_middleware(shielding.Bodies)
    made.add_middleware(doors.Doors, context=context, routers=(*ROUTERS, acting.router))
    made.add_middleware(origins.Origins, address=terms.address)
    made.add_middleware(revealed.Revealed)
    made.add_middleware(shielding.Bodiless)
    made.add_middleware(shielding.Rates, reads=terms.reads, writes=terms.writes)
    made.add_middleware(shielding.Hosts, hosts=terms.hosts)
    made.add_middleware(shielding.Headers)
    if terms.proxies:
        # Before anything is counted: of those who have passed a request on, the last that is no such proxy asks.
        made.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(terms.proxies))
    if busy is not None:
        made.add_middleware(StandingBack, busy=busy)
        context.gives_way = GivingWay(busy)
    problems.install(made, shielding.said)
    documents.describe(made)
    for router in ROUTERS:
        made.include_router(router)
    every.install(made, context)
    made.mount("/ui/static", StaticFiles(packages=[("reconciler.api", "static")]), name="static")
    return made
