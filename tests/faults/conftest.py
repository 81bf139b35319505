"""Worlds for faults: those of `e2e`, whose daemon is a process of its own, and a PostgreSQL server to end and start."""

from tests.e2e.conftest import live, server, typed  # noqa: F401 - fixtures
