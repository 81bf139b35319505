"""`python -m reconciler`: the command line."""

import gc
import os
import signal
import sys
from types import FrameType

# What is made by importing stays to the end: with Python's own threshold a tenth of a short command's time went into
# looking through all of it for garbage, again and again. A reconciler sets its own, in `engine/sweeping`.
gc.set_threshold(200_000, 10, 10)


def _end(number: int, _frame: FrameType | None) -> None:
    """Nothing has begun yet: there is nothing to stop, and a daemon that was told to end has ended well."""
    os._exit(0 if number == signal.SIGTERM else 128 + number)


# Importing takes a moment, in which a signal may come as at any other.
_interrupted = signal.signal(signal.SIGINT, _end)
if "run" in sys.argv[1:]:
    signal.signal(signal.SIGTERM, _end)

from reconciler.cli.main import main  # noqa: E402 - see above

signal.signal(signal.SIGINT, _interrupted)

if __name__ == "__main__":
    main()
