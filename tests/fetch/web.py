"""A web server on 127.0.0.1 that behaves as badly as the real ones do. Each path is one habit."""

import asyncio
import gzip
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar
from urllib.parse import unquote

NOW = "Sun, 22 Nov 2026 10:00:00 GMT"  # what this server believes


class Web:
    """Serves `pages` (path to bytes) with status 200, and the habits below; counts requests by path."""

    def __init__(self, pages: dict[str, bytes]) -> None:
        self.pages = pages
        self.requests: Counter[str] = Counter()
        self.headers: dict[str, bytes] = {}
        self.most_at_once = 0
        self.port = 0
        self._at_once = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            self.requests[path] += 1
            self.headers[path] = head
            await self._reply(path, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._at_once -= 1
            writer.close()

    async def _reply(self, path: str, writer: asyncio.StreamWriter) -> None:
        kind, _, rest = unquote(path).strip("/").partition("/")
        habit = self.HABITS.get(kind)
        if habit is not None:
            await habit(self, writer)
        elif kind in REPLIES:
            writer.write(await REPLIES[kind](self, rest, self.requests[path]))
        else:
            page = self.pages.get(path.partition("?")[0])
            writer.write(_response(404, b"") if page is None else _response(200, page))

    async def _reset(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async def _silent(self, _: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"\xff")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def _endless(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(1 << 16))
            await writer.drain()

    async def _cut(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")

    async def _garbage(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")

    HABITS: ClassVar = {
        "reset": _reset,
        "silent": _silent,
        "drip": _drip,
        "endless": _endless,
        "cut": _cut,
        "garbage": _garbage,
    }


def _response(status: int, body: bytes, *headers: str) -> bytes:
    constant = (f"Content-Length: {len(body)}", "Connection: close", "Set-Cookie: id=1", f"Date: {NOW}")
    return "\r\n".join([f"HTTP/1.1 {status} Said", *constant, *headers, "", ""]).encode() + body


async def _status(_web: Web, rest: str, _times: int) -> bytes:
    return _response(int(rest), b"")


async def _flaky(web: Web, rest: str, times: int) -> bytes:
    status, _, page = rest.partition("/")
    return _response(200, web.pages["/" + page]) if times > 1 else _response(int(status), b"later")


async def _patience(_web: Web, rest: str, _times: int) -> bytes:
    return _response(429, b"", f"Retry-After: {rest}")


async def _to(_web: Web, rest: str, _times: int) -> bytes:
    return _response(302, b"", f"Location: {rest}")


async def _chain(_web: Web, rest: str, _times: int) -> bytes:
    return _response(302, b"", f"Location: /chain/{int(rest) + 1}")


async def _loop(_web: Web, rest: str, _times: int) -> bytes:
    return _response(301, b"", f"Location: /loop/{(int(rest) + 1) % 3}")


async def _gzip(web: Web, rest: str, _times: int) -> bytes:
    return _response(200, gzip.compress(web.pages["/" + rest]), "Content-Encoding: gzip")


async def _slow(web: Web, rest: str, _times: int) -> bytes:
    await asyncio.sleep(0.1)
    return _response(200, web.pages["/" + rest])


REPLIES: dict[str, Callable[[Web, str, int], Awaitable[bytes]]] = {
    "status": _status,
    "flaky": _flaky,
    "patience": _patience,
    "to": _to,
    "chain": _chain,
    "loop": _loop,
    "gzip": _gzip,
    "slow": _slow,
}


@contextmanager
def serving(web: Web, tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    """Run the server in a thread until the context ends."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=tls))
    web.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield web
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # lets closed transports go
