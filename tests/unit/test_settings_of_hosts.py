"""Where the API listens and by which names it is asked: what is said, before anything is done, of what cannot hold?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler import config
from reconciler.errors import WrongUse


def api(directory: Path, text: str, **environ: str) -> config.ApiSettings:
    file = directory / "reconciler.yaml"
    file.write_text(text)
    return config.load(str(file), environ).api


@pytest.mark.parametrize(
    "listen",
    ["127.0.0.1:0", "[::1]:0", "localhost:0", "0.0.0.0:8080", "[::]:65535", "deploy.example.org:80", "build_1:80"],
)
def test_where_it_can_listen(tmp_path: Path, listen: str) -> None:
    assert api(tmp_path, json.dumps({"api": {"listen": listen}})).listen == listen


@pytest.mark.parametrize(
    "listen",
    [
        "8080",
        8080,
        "127.0.0.1",
        ":18932",
        "127.0.0.1:65536",
        "127.0.0.1:99999",
        "0.0.0.0:0",
        "deploy.example.org:0",
        "*:8080",
        "::1:8080",
        "[::g]:80",
        "256.1.1.1:80",
        "http://127.0.0.1:8080",
        "127.0.0.1:８０",
        "a b:80",
        "",
        True,
        None,
    ],
)
def test_where_it_cannot(tmp_path: Path, listen: Any) -> None:
    # Told with everything else that is wrong.
    with pytest.raises(WrongUse) as raised:
        api(tmp_path, json.dumps({"api": {"listen": listen}, "workers": 0}))
    assert "reconciler.yaml:1: api.listen: " in str(raised.value)
    assert "HOST:PORT, such as 127.0.0.1:8080, or off" in str(raised.value)
    assert "workers: 0 cannot stand here" in str(raised.value)


@pytest.mark.parametrize("word", ["off", "Off", "no", "false", "'off'"])
def test_off_is_off_with_and_without_quotes(tmp_path: Path, word: str) -> None:
    assert api(tmp_path, f"api: {{listen: {word}}}").listen == config.OFF
    assert api(tmp_path, "", RECONCILER_API__LISTEN="off").listen == config.OFF


@pytest.mark.parametrize(
    "address", ["https://deploy.example.org", "https://deploy.example.org:8443/", "http://[::1]:80"]
)
def test_addresses_of_the_pages(tmp_path: Path, address: str) -> None:
    assert api(tmp_path, json.dumps({"api": {"address": address}})).address == address


@pytest.mark.parametrize(
    "address",
    [
        "deploy.example.org",
        "http://deploy.example.org",
        "http://127.0.0.1.example.org",
        "https://ann:hunter2@deploy.example.org",
        "https://deploy.example.org/below",
        "https://deploy.example.org?x",
        "https://deploy.example.org:99999",
        "https://*.example.org",
        "https://",
    ],
)
def test_what_is_no_address_of_the_pages(tmp_path: Path, address: str) -> None:
    with pytest.raises(WrongUse, match=r"api\.address: this cannot stand here \(write the https://") as raised:
        api(tmp_path, json.dumps({"api": {"address": address}}))
    assert "hunter2" not in str(raised.value)


def test_names_of_hosts(tmp_path: Path) -> None:
    assert (
        api(tmp_path, "api: {hosts: [deploy.example.org, '::1', 192.0.2.7, build_1]}").hosts[0] == "deploy.example.org"
    )
    assert api(tmp_path, "", RECONCILER_API__HOSTS="a.example.org, b").hosts == ("a.example.org", "b")


@pytest.mark.parametrize("name", ["https://a.example.org", "*", "*.example.org", "a.example.org:443", "a/b", "", "a b"])
def test_what_is_no_name_of_a_host(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongUse, match=r"api\.hosts: .*(is no name of a host|names of hosts)"):
        api(tmp_path, json.dumps({"api": {"hosts": ["deploy.example.org", name]}}))


def test_proxies_by_address_and_network(tmp_path: Path) -> None:
    assert api(tmp_path, "").proxies == ()
    found = api(tmp_path, "api: {proxies: [10.0.0.7, '2001:db8::/32', '::1']}").proxies
    assert found == ("10.0.0.7", "2001:db8::/32", "::1")
    assert api(tmp_path, "", RECONCILER_API__PROXIES="10.0.0.7, 10.1.0.0/16").proxies == ("10.0.0.7", "10.1.0.0/16")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("*", "is no address and no network"),
        ("proxy.example.org", "is no address and no network"),
        ("10.0.0.7:443", "is no address and no network"),
        ("10.0.0.0/33", "is no address and no network"),
        ("0.0.0.0/0", "is everybody"),
        ("::/0", "is everybody"),
        ("10.1.2.3/16", "is an address within a network (write 10.1.0.0/16, or the address alone)"),
        ("", "a list of addresses and networks"),
        (7, "a list of addresses and networks"),
    ],
)
def test_what_is_no_proxy(tmp_path: Path, written: Any, said: str) -> None:
    # Left as it is, uvicorn would take it for the name of a socket, and believe nobody.
    with pytest.raises(WrongUse, match=r"api\.proxies") as raised:
        api(tmp_path, json.dumps({"api": {"proxies": ["10.0.0.7", written]}}))
    assert said in str(raised.value)


def test_the_name_of_a_client_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"api\.oidc\.client_id") as raised:
        api(tmp_path, json.dumps({"api": {"oidc": {"client_id": "hunter2" * 100}}}))
    assert "hunter2" not in str(raised.value)
