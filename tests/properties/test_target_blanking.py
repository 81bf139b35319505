"""Is a secret blanked wherever it stands, in whatever pieces the output comes?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.targets.secrets import SHORTEST, Blanker

# Few letters, so that secrets overlap each other and themselves; no `*`, since `***` must not look like one.
SECRETS = st.lists(st.text("ab\n", min_size=SHORTEST, max_size=12), min_size=1, max_size=3)
PIECES = st.lists(st.text("abc\n", max_size=9), max_size=8)


@given(SECRETS, PIECES, st.data())
def test_no_secret_comes_through_and_pieces_make_no_difference(secrets, pieces, data):
    output = "".join(piece + data.draw(st.sampled_from(["", *secrets])) for piece in pieces)
    blanker = Blanker({str(number): secret for number, secret in enumerate(secrets)})
    whole = blanker.text(output)
    assert [secret for secret in secrets if secret in whole] == []

    cuts = sorted(data.draw(st.lists(st.integers(0, len(output)), max_size=6)))
    stream = blanker.stream()
    parts = [
        stream.feed(output[start:end].encode()) for start, end in zip([0, *cuts], [*cuts, len(output)], strict=True)
    ]
    assert b"".join([*parts, stream.finish()]).decode() == whole


@given(st.text("ab", min_size=SHORTEST, max_size=8), st.text("cde\n", max_size=60), st.integers(1, 10))
def test_what_is_no_secret_comes_through_unchanged_and_at_once(secret, harmless, size):
    stream = Blanker({"key": secret}).stream()
    pieces = [harmless[start : start + size] for start in range(0, len(harmless), size)]
    assert [stream.feed(piece.encode()).decode() for piece in pieces] == pieces
    assert stream.finish() == b""


@given(st.text(min_size=SHORTEST, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_any_text_can_be_a_secret(secret, before, after):
    blanker = Blanker({"key": secret})
    if blanker.too_short or "*" in secret or secret in before + "***" + after:
        return
    assert secret not in blanker.text(before + secret + after)
