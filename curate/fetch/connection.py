"""Sessions that can only reach where they may: one for the open Internet, one for what `allow_hosts` lists."""

import socket
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from curate.fetch.address import PrivateAddressError, is_public

_UNTIMED = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)  # one deadline a sample


class PublicResolver(AbstractResolver):
    """Resolves names and leaves out addresses that are not public; where none is left the name is refused."""

    def __init__(self) -> None:
        """Use the system's resolver, in threads of the running loop."""
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of a host.

        Raises:
            PrivateAddressError: it has no other than private ones.
            OSError: it cannot be resolved.
        """
        found = await self._system.resolve(host, port, family)
        public = [answer for answer in found if is_public(answer["host"])]
        if found and not public:
            raise PrivateAddressError
        return public

    async def close(self) -> None:
        """Free the system's resolver."""
        await self._system.close()


def public_socket(address: tuple[Any, ...]) -> socket.socket:
    """Make the socket for one address as `getaddrinfo` spells it: the last moment before a connection is made.

    Raises:
        PrivateAddressError: the address is not public.
    """
    family, kind, protocol, _, target = address
    if not is_public(target[0]):
        raise PrivateAddressError
    return socket.socket(family=family, type=kind, proto=protocol)


def open_session(user_agent: str, per_host: int, *, guarded: bool) -> aiohttp.ClientSession:
    """Return a session without cookies, proxies, netrc, decompression or timers of its own; TLS is verified."""
    connector = aiohttp.TCPConnector(
        limit=0,
        limit_per_host=per_host,
        resolver=PublicResolver() if guarded else aiohttp.ThreadedResolver(),
        socket_factory=public_socket if guarded else None,
    )
    headers = {"User-Agent": user_agent, "Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"}
    return aiohttp.ClientSession(
        connector=connector,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=_UNTIMED,
        trust_env=False,
    )
