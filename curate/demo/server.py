"""A web server on this machine that gives files as they are, and misbehaves at the addresses made for that.

Below `/files/` it serves a folder. Below `/<fault>/` it does what the word says, see `_Misbehaving`.
"""

import asyncio
import contextlib
import errno
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from aiohttp import web

from curate.errors import CurateError

HOST = "127.0.0.1"
PORT = 8765
"""Fixed, because a sample's key hashes its URL: on another port the same pictures are other samples."""

DRIP_S = 0.5
"""Seconds between two bytes of the slow drip; it goes on for `DRIPS` bytes, longer than anybody should wait."""
DRIPS = 600
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
BLOCK = b"\x00" * (1 << 16)

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.contextmanager
def serving(folder: Path, port: int = PORT) -> Iterator[str]:
    """Serve `folder` from a thread of this process for as long as the block runs; give the address.

    Port 0 takes any free one.

    Raises:
        CurateError: the port is taken.
    """
    started: SimpleQueue[_Started | OSError] = SimpleQueue()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, port, started)), daemon=True)
    thread.start()
    outcome = started.get()
    if isinstance(outcome, OSError):
        thread.join()
        raise CurateError(_why(port, outcome)) from outcome
    try:
        yield f"http://{HOST}:{outcome.port}"
    finally:
        outcome.loop.call_soon_threadsafe(outcome.stop.set)
        thread.join()


@dataclass(frozen=True)
class _Started:
    port: int
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event


async def _serve(folder: Path, port: int, started: "SimpleQueue[_Started | OSError]") -> None:
    runner = web.AppRunner(_application(folder), access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            started.put(error)
            return
        stop = asyncio.Event()
        started.put(_Started(runner.addresses[0][1], asyncio.get_running_loop(), stop))
        await stop.wait()
    finally:
        await runner.cleanup()


def _why(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {HOST} is taken. Stop what listens there (another demo?), or give another with --port."
    return f"cannot listen on {HOST}:{port}: {error.strerror}"


def _application(folder: Path) -> web.Application:
    application = web.Application()
    application.router.add_static("/files", folder)
    for name, reply in _Misbehaving().replies().items():
        application.router.add_get(f"/{name}/{{rest:.*}}", reply)
    return application


@dataclass
class _Misbehaving:
    """The replies; it counts requests by path, for the server that recovers."""

    asked: Counter[str] = field(default_factory=Counter)

    def replies(self) -> dict[str, Reply]:
        return {
            "missing": _missing,
            "flaky": self._flaky,
            "drip": _drip,
            "endless": _endless,
            "loop": _loop,
            "elsewhere": _elsewhere,
            "page": _page,
        }

    async def _flaky(self, request: web.Request) -> web.StreamResponse:
        """Fail twice with 500, then send the visitor to the file: every third request gets it, however they come."""
        self.asked[request.path] += 1
        if self.asked[request.path] % 3:
            raise web.HTTPInternalServerError(text="try again")
        raise web.HTTPFound(f"/files/{request.match_info['rest']}")


async def _missing(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound(text="no such picture")


async def _drip(request: web.Request) -> web.StreamResponse:
    """Send what begins like a PNG, then a byte now and then: every read succeeds, and it never ends in time."""

    async def drops() -> AsyncIterator[bytes]:
        yield PNG_HEAD
        for _ in range(DRIPS):
            await asyncio.sleep(DRIP_S)
            yield b"\x00"

    return await _stream(request, drops())


async def _endless(request: web.Request) -> web.StreamResponse:
    """Send zeros for as long as the visitor reads; no Content-Length warns of it."""

    async def zeros() -> AsyncIterator[bytes]:
        yield PNG_HEAD
        while True:
            yield BLOCK

    return await _stream(request, zeros())


async def _stream(request: web.Request, body: AsyncIterator[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "image/png"})
    with contextlib.suppress(ConnectionResetError):
        await response.prepare(request)
        async for block in body:
            await response.write(block)
    return response


async def _loop(request: web.Request) -> web.StreamResponse:
    """Redirect /loop/a/x to /loop/b/x, and that back to the first."""
    side, _, name = request.match_info["rest"].partition("/")
    raise web.HTTPFound(f"/loop/{'b' if side == 'a' else 'a'}/{name}")


async def _elsewhere(request: web.Request) -> web.StreamResponse:
    """Redirect to the address that the path names: /elsewhere/10.0.0.1/x.png leads to http://10.0.0.1/x.png."""
    raise web.HTTPFound(f"http://{request.match_info['rest']}")


async def _page(_: web.Request) -> web.StreamResponse:
    """Answer 200 with a page that says the picture is gone, labelled as a picture."""
    text = "<!doctype html><title>Gone</title><p>This picture has moved to our new gallery.</p>"
    return web.Response(body=text.encode(), content_type="image/jpeg")
