"""Where a webhook may never reach: our own machine, our own network, and whatever only looks like the world outside.

`ipaddress.is_global` calls some of these global (64:ff9b::7f00:1 on Python 3.11 is our own machine), so the
networks stand here, each with its reason. Source: IANA special-purpose address registries, RFC 6890 and later.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_OWN = {
    "127.0.0.0/8": "this machine",
    "10.0.0.0/8": "a private network",
    "172.16.0.0/12": "a private network",
    "192.168.0.0/16": "a private network",
    "::1/128": "this machine",
    "fc00::/7": "a private network",
}
"""What `allow_private` opens, for tests and tools of one's own."""

_NEVER = {
    "0.0.0.0/8": "this machine",
    "100.64.0.0/10": "shared by a provider's customers",
    "169.254.0.0/16": "link-local, where clouds keep their secrets",
    "192.0.0.0/24": "reserved for protocols",
    "192.0.2.0/24": "for examples only",
    "192.88.99.0/24": "a 6to4 relay",
    "198.18.0.0/15": "for measurements only",
    "198.51.100.0/24": "for examples only",
    "203.0.113.0/24": "for examples only",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved, or broadcast",
    "::/96": "no address, or an old form of IPv4",
    "::ffff:0:0/96": "IPv4 in IPv6",
    "::ffff:0:0:0/96": "IPv4 in IPv6",
    "64:ff9b::/96": "IPv4 in IPv6 (NAT64)",
    "64:ff9b:1::/48": "IPv4 in IPv6 (NAT64)",
    "100::/64": "discarded",
    "2001::/23": "reserved for protocols, or IPv4 in IPv6 (Teredo)",
    "2001:db8::/32": "for examples only",
    "2002::/16": "IPv4 in IPv6 (6to4)",
    "3fff::/20": "for examples only",
    "5f00::/16": "segment routing",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
_OWN_NETWORKS = {ipaddress.ip_network(text): why for text, why in _OWN.items()}
_NEVER_NETWORKS = {ipaddress.ip_network(text): why for text, why in _NEVER.items()}
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")


def why_forbidden(address: str, *, allow_private: bool = False) -> str:
    """Why a webhook may not go to this address, '' when it may.

    >>> why_forbidden("169.254.169.254"), why_forbidden("127.0.0.1", allow_private=True)
    ('link-local, where clouds keep their secrets', '')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "not an address"
    own = _within(found, _OWN_NETWORKS)
    if own:
        return "" if allow_private else own
    never = _within(found, _NEVER_NETWORKS)
    if not never and found.version == 6 and found not in _GLOBAL_IPV6:
        return "not given out to anybody"
    return never


def first_forbidden(addresses: Iterable[str], *, allow_private: bool = False) -> str:
    """Why a host may not be reached: one forbidden address among all it has is enough; '' when none is."""
    for address in addresses:
        why = why_forbidden(address, allow_private=allow_private)
        if why:
            return why
    return ""


def _within(address: Address, networks: dict[Network, str]) -> str:
    return next((why for net, why in networks.items() if net.version == address.version and address in net), "")
