"""When is it? Calendar arithmetic on values: instants, zones, durations, recurrences and their next edge.

    zones            the one rule from wall time to instant; everything else rests on it
    instants         text to instant and back
    durations        text to length and back; how long to wait after failures
    span             what a season or freeze declares, and one window of it
    rrules, crons, public_holidays    wall times and dates on which something recurs
    occurrences      the windows of a span, walked
    edges            which window holds at a moment, and when that changes
    checks           what is wrong with a span

Nothing here reads a clock, and nothing knows what an app or a deployment is. There are the years from
1970 to 2200, and no others.
"""

from __future__ import annotations

from reconciler.schedule.checks import check
from reconciler.schedule.crons import cron_next, cron_previous
from reconciler.schedule.durations import backoff, duration, offset, spell
from reconciler.schedule.edges import active, next_edge, windows
from reconciler.schedule.instants import WITH_OFFSET, instant, kept, rfc3339, to_the_second, utc, wall
from reconciler.schedule.span import Span, Window
from reconciler.schedule.zones import resolve, zone

__all__ = [
    "WITH_OFFSET",
    "Span",
    "Window",
    "active",
    "backoff",
    "check",
    "cron_next",
    "cron_previous",
    "duration",
    "instant",
    "kept",
    "next_edge",
    "offset",
    "resolve",
    "rfc3339",
    "spell",
    "to_the_second",
    "utc",
    "wall",
    "windows",
    "zone",
]
