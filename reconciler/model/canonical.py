"""Which text is a value written as, where texts are compared or digests made of them?

Apart from what it is about, so that who only keeps values need not know it.
"""

import json
import json.encoder
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_made: Any = getattr(json.encoder, "c_make_encoder", None)
# What the encoder makes anew for each value is made once: there are dozens of small values in a turn for each app.
_pieces: Any = (
    _made(None, _CANONICAL.default, json.encoder.encode_basestring, None, ":", ",", True, False, False)
    if _made
    else lambda value, _level: _CANONICAL.iterencode(value)
)


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces. Digests and comparisons are made of it."""
    return "".join(_pieces(value, 0))
