"""How often does Python look for values that only refer to each other?

Each look goes over everything that is alive. What the program itself is made of lives to its end, and a turn makes
values by the hundred thousand that nobody refers to a moment later: looking at every few hundred of them would cost
a fifth of a cold start and, now and then, more than a whole turn.
"""

import gc
from functools import cache

FRESH = 200_000
"""So many values more than were let go of, and the new ones are looked at."""


@cache
def sweep_rarely() -> None:
    """From now on, look rarely, and never at what is there already. Once in the life of a process."""
    # Without a look at all of it first: importing leaves next to nothing behind, and to find that out would cost a
    # command that finds nothing to do a tenth of its time.
    gc.freeze()
    gc.set_threshold(FRESH, 20, 20)
