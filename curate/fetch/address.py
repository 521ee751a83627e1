"""Which network addresses a fetch may touch: public ones, and what the recipe lists in `allow_hosts`.

Ranges: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates). They are spelled out here, for
the standard library's `is_global` changed between patch releases and does not look inside 6to4 and NAT64 forms.
"""

import ipaddress
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

_CLOSED_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' shared space; a cloud's metadata service lives here too
        "127.0.0.0/8",
        "168.63.129.16/32",  # public by number, but the host agent of a large cloud
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_UNICAST_V6 = IPv6Network("2000::/3")  # everything else is local, multicast, reserved or a wrapped IPv4 address
_CLOSED_V6 = tuple(IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")


class PrivateAddressError(OSError):
    """A connection to an address that is not public was about to be made."""


def is_public(address: str) -> bool:
    """Tell whether an IP address, as a resolver or a socket spells it, is one of the open Internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        wrapped = _wrapped_v4(ip)
        if wrapped is None:
            return ip in _UNICAST_V6 and not any(ip in block for block in _CLOSED_V6)
        ip = wrapped
    return not any(ip in block for block in _CLOSED_V4)


def _wrapped_v4(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that traffic to this IPv6 address ends at, if it is such a form."""
    if ip in _MAPPED or ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _SIX_TO_FOUR:
        return IPv4Address(int(ip) >> 80 & 0xFFFFFFFF)
    return None


def literal_fault(host: str) -> str | None:
    """Return why a host that is spelled as a number may not be contacted; None for names and public addresses.

    `2130706433`, `0x7f.1` and `127.1` all reach 127.0.0.1: a C library reads them so, a URL should not.
    """
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    else:
        return None if is_public(host) else "private_address"
    try:
        meant = socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None
    return "bad_url" if is_public(meant) else "private_address"


def parse_host(entry: str) -> tuple[str, int | None]:
    """Split one entry of `allow_hosts`, `host` or `host:port`, into host and port (None: any).

    Raises:
        ValueError: it is not such a thing.
    """
    parts = urlsplit(f"//{entry}")
    if not parts.hostname or parts.netloc != entry or "@" in entry or any(c.isspace() for c in entry):
        raise ValueError(f"'{entry}' is not a host or host:port, such as images.internal:8080")
    return parts.hostname, parts.port


def is_allowed(host: str, port: int | None, allowed: frozenset[tuple[str, int | None]]) -> bool:
    """Tell whether a URL's host and port, as spelled there, are listed."""
    name = host.lower()
    return (name, None) in allowed or (name, port) in allowed
