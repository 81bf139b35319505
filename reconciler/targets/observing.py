"""What does a target see, and can it see at all?

Two things that a target may have besides what `base` asks for, so that what was written before them goes on as it is:
- `inspect(app)`: as `observe`, but with a closer look, such as reading every file, whatever that costs; it is asked for
  by people, and rarely;
- `hearsay = True`: nobody can be asked what runs, and `observe` repeats what was said of the last deployment. That is
  never taken for a drift.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.targets import strangers
from reconciler.targets.base import Observed, Target


def sees(target: Target) -> bool:
    """Whether the target sees what runs, rather than remembering what was said of it."""
    return not getattr(target, "hearsay", False)


def observed(target: Target, app: str, *, closely: bool) -> Observed | None:
    """What runs of `app` as the target sees it. Raises what `observe` raises."""
    look: Callable[[str], Observed | None] = getattr(target, "inspect", target.observe) if closely else target.observe
    return strangers.sight(look(app))
