"""What does a reader get who asks what was just asked: the same answer, packed as it is taken, and never an old one?"""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor

from tests.http_asking import Face
from tests.world import World


def test_a_page_leaves_packed_for_whoever_takes_it_so(asked: Face) -> None:
    with asked.client.stream("GET", "/ui/", headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    plain = asked.get("/ui/", Accept_Encoding="identity")
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed) == plain.content
    assert int(answer.headers["content-length"]) == len(packed) < len(plain.content) / 2
    for headers in (answer.headers, plain.headers):
        assert "Accept-Encoding" in headers["vary"]


def test_whoever_does_not_take_gzip_gets_none(asked: Face) -> None:
    for refused in ("identity", "gzip;q=0", "br, gzip; q=0.0", ""):
        assert "content-encoding" not in asked.get("/ui/", Accept_Encoding=refused).headers, refused


def test_either_tag_is_known_whether_it_was_packed_or_not(asked: Face) -> None:
    for address in ("/ui/", "/ui/apps/shop", "/deployments"):
        plain, packed = asked.get(address, Accept_Encoding="identity"), asked.get(address, Accept_Encoding="gzip")
        assert packed.headers["etag"] == f"W/{plain.headers['etag']}"
        for coding in ("identity", "gzip"):
            for known in (plain.headers["etag"], packed.headers["etag"]):
                answer = asked.get(address, Accept_Encoding=coding, If_None_Match=known)
                assert (answer.status_code, answer.content) == (304, b"")


def test_what_is_asked_again_is_new_as_soon_as_something_is(world: World, asked: Face) -> None:
    addresses = ("/ui/", "/ui/apps/shop", "/deployments", "/status")
    for text in ("two", "three"):
        before = {address: asked.get(address).content for address in addresses}
        assert {address: asked.get(address).content for address in addresses} == before
        world.commit(text, {"shop/index.html": text})
        world.settle()
        for address in addresses:
            assert asked.get(address).content != before[address], address


def test_many_who_ask_the_same_at_once_are_told_the_same(asked: Face) -> None:
    with ThreadPoolExecutor(16) as several:
        answers = list(several.map(lambda _: asked.get("/ui/apps/shop"), range(64)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_refusals_are_made_anew_and_a_query_is_another_question(asked: Face) -> None:
    assert asked.get("/apps/shop").status_code == 200
    assert asked.refused("/apps/shop?nothing=1")
    assert asked.refused("/apps/nobody") == asked.refused("/apps/nobody")
    assert asked.json("/deployments?limit=1") != asked.json("/deployments?limit=2")


def test_another_theme_is_another_page(asked: Face) -> None:
    assert 'data-theme="dark"' not in asked.get("/ui/").text
    assert asked.get("/ui/").content != asked.get("/ui/", Cookie="theme=dark").content


def test_what_a_browser_that_signed_in_is_shown_is_not_packed(asked: Face) -> None:
    answer = asked.get("/ui/", Accept_Encoding="gzip", Cookie="reconciler_session=any")
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers


def test_what_was_told_to_nobody_is_not_told_to_a_token_that_does_not_hold(asked: Face) -> None:
    assert asked.get("/deployments").status_code == 200
    refused = asked.get("/deployments", Authorization="Bearer rec_no")
    assert refused.status_code == 401
