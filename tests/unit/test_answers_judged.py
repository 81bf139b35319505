"""What does a forge's or a receiver's answer mean, and how long does it want to be left alone?"""

from __future__ import annotations

import httpx2
import pytest

from reconciler.notify.addresses import NotDelivered
from reconciler.notify.answers import LONGEST, judge, unreached


def refused(status: int, **headers: str) -> NotDelivered:
    named = {name.replace("_", "-"): value.encode("latin-1") for name, value in headers.items()}
    with pytest.raises(NotDelivered) as caught:
        judge(httpx2.Response(status, headers=named), "the forge")
    return caught.value


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "9" * 400}, LONGEST),
        ({"retry_after": "²"}, None),
        ({"retry_after": "soon"}, None),
        ({"date": "Mon, 02 Nov 2026 09:30:00 GMT", "retry_after": "Mon, 02 Nov 2026 09:31:00 GMT"}, 60.0),
        ({"date": "Mon, 02 Nov 2026 09:30:00 GMT", "x_ratelimit_reset": "1793611830"}, 30.0),
        ({"date": "Mon, 02 Nov 2026 09:30:00 GMT", "x_ratelimit_reset": "1" + "0" * 18}, None),
        ({"date": "Mon, 02 Nov 2026 09:30:00 GMT", "x_ratelimit_reset": "²"}, None),
        ({}, None),
    ],
)
def test_it_is_left_alone_as_long_as_it_says(headers: dict[str, str], after: float | None) -> None:
    assert refused(503, **headers).after == after


@pytest.mark.parametrize(("status", "for_good"), [(400, True), (401, False), (409, False), (422, True), (502, False)])
def test_only_what_never_helps_is_given_up(status: int, for_good: bool) -> None:
    assert refused(status).for_good is for_good


@pytest.mark.parametrize(
    ("error", "unsure"),
    [
        (httpx2.ConnectError("at https://secret.example"), False),
        (httpx2.ConnectTimeout("at https://secret.example"), False),
        (httpx2.ReadTimeout("at https://secret.example"), True),
        (httpx2.ReadError("at https://secret.example"), True),
    ],
)
def test_a_lost_answer_leaves_open_whether_it_arrived(error: httpx2.HTTPError, unsure: bool) -> None:
    found = unreached(error, "the receiver")
    assert found.unsure is unsure
    assert found.message == f"the receiver did not answer ({type(error).__name__})"
    assert not unreached(error, "the forge", changes=False).unsure
