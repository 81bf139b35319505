"""Where may the API listen, by which names and at which address may browsers ask for it, and through which proxies?

The types of those settings. Whether an address can be had is known when it is listened at, in `api/serving`.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from reconciler.config.words import several, taking, unseen
from reconciler.model.shape import refusal
from reconciler.words import host_and_port, quoted

OFF = "off"
"""In place of the address where the API listens: it does not."""
_LISTEN = "HOST:PORT, such as 127.0.0.1:8080, or off"
_ADDRESS = "the https:// address of these pages without a path, such as https://deploy.example.org"
_PROXIES = "a list of addresses and networks, such as 10.0.0.7 and 10.1.0.0/16"
_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"({_LABEL}\.)*(?![0-9]+$){_LABEL}")
_LONGEST_HOST = 253


def is_host(name: str) -> bool:
    """Whether a host can have this name, or this address (that of IPv6 without brackets)."""
    try:
        return bool(ip_address(name))
    except ValueError:
        return len(name) <= _LONGEST_HOST and _HOST.fullmatch(name) is not None


def is_here(host: str) -> bool:
    """Whether only this machine is called so. A name may lead anywhere."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _off(value: object) -> object:
    """To YAML `off`, `no` and `false` are one and the same."""
    return OFF if value is False else value


def _place(listen: str) -> str:
    if listen == OFF:
        return listen
    found = host_and_port(listen)
    if found is None or not is_host(found[0]):
        raise refusal(f"{quoted(listen)} is no address to listen at", f"write {_LISTEN}")
    if found[1] == 0 and not is_here(found[0]):
        raise refusal(f"{quoted(listen)} has no port that anybody could know", f"write {_LISTEN}")
    return listen


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not is_host(name):
            remedy = "write each alone, such as deploy.example.org: no https://, no port, no path and no *"
            raise refusal(f"{quoted(name)} is no name of a host", remedy)
    return names


def _networks(written: tuple[str, ...]) -> tuple[str, ...]:
    for one in written:
        try:
            found = ip_network(one, strict=False)
        except ValueError:
            raise refusal(f"{quoted(one)} is no address and no network", f"write {_PROXIES}, and no names") from None
        if not found.prefixlen:
            raise refusal(f"{quoted(one)} is everybody, and whoever asks would be believed", f"write {_PROXIES}")
        if "/" in one and str(ip_address(one.partition("/")[0])) != str(found.network_address):
            raise refusal(f"{quoted(one)} is an address within a network", f"write {found}, or the address alone")
    return written


def _pages(address: str) -> str:
    """Plain HTTP goes no further than this machine: what is sent along with cookies could be read on its way."""
    if not address:
        return address
    found = urlsplit(address)
    host, safe = found.hostname or "", found.scheme == "https"
    plain = re.fullmatch(r"https?://[^/?#@]+/?", address) and (found.port is None or found.port)
    if not plain or not is_host(host) or not (safe or (found.scheme == "http" and is_here(host))):
        raise ValueError
    return address


Listen = Annotated[
    str, Field(strict=True, min_length=1), BeforeValidator(_off), taking(_LISTEN), AfterValidator(_place)
]
Hosts = Annotated[
    tuple[Annotated[str, Field(strict=True, min_length=1)], ...],
    BeforeValidator(several),
    taking("a list of names of hosts, or one text with commas between them"),
    AfterValidator(_names),
]
Proxies = Annotated[
    tuple[Annotated[str, Field(strict=True, min_length=1, max_length=60)], ...],
    Field(max_length=100),
    BeforeValidator(several),
    taking(_PROXIES),
    AfterValidator(_networks),
]
Pages = Annotated[str, Field(strict=True, max_length=500), AfterValidator(_pages), unseen(_ADDRESS)]
