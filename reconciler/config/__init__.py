"""Which settings hold: built-in defaults, a file over them, `RECONCILER_…` variables over that?

    words      what may stand where a setting is
    shapes     which settings there are
    reading    where they come from

What the settings are used for is decided in `wiring` and `facing`.
"""

from reconciler.config.reading import DEFAULT_FILE, KNOWN, LARGEST, NO_SETTINGS, PREFIX, load
from reconciler.config.shapes import (
    NUDGE,
    OFF,
    SETTINGS,
    ApiSettings,
    ForgeSettings,
    OidcSettings,
    RepositorySettings,
    Settings,
    SignerSettings,
    StateSettings,
    WebhookSettings,
    WriteSettings,
)

__all__ = [
    "DEFAULT_FILE",
    "KNOWN",
    "LARGEST",
    "NO_SETTINGS",
    "NUDGE",
    "OFF",
    "PREFIX",
    "SETTINGS",
    "ApiSettings",
    "ForgeSettings",
    "OidcSettings",
    "RepositorySettings",
    "Settings",
    "SignerSettings",
    "StateSettings",
    "WebhookSettings",
    "WriteSettings",
    "load",
]
