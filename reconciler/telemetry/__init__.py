"""How does a process show what it does: in logs, in measures of its own work, in traces?

What the store tells is no business of this room.
"""

from reconciler.telemetry.logs import logger as logger
from reconciler.telemetry.logs import set_up as set_up
from reconciler.telemetry.stages import Stage as Stage
from reconciler.telemetry.stages import stage as stage
