"""Many URLs at once on one event loop: slots, deadlines, tries, redirects. Rows come back in the order they went in."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self, TypeVar

from aiohttp import ClientSession
from yarl import URL

from curate.fetch.address import is_allowed, parse_host
from curate.fetch.connection import open_session
from curate.fetch.hop import Answer, parse_url, refusal, request

if TYPE_CHECKING:
    from curate.fetch.stage import Fetch

_T = TypeVar("_T")
_FIRST_WAIT_S = 0.25  # before the second try; doubles with each


async def download(urls: Sequence[str | None], settings: "Fetch", finish: Callable[[bytes], _T]) -> "list[_T | str]":
    """Return for each URL what `finish` makes of its bytes, or the reason why there are none.

    A URL that occurs twice is fetched once. `finish` runs in one thread beside the loop, one body at a time, so that
    decoding neither delays others' deadlines nor adds up in memory.
    """
    unique = list(dict.fromkeys(url for url in urls if url is not None))
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(settings.concurrency))  # a name that hangs must not hold up others
    with ThreadPoolExecutor(1) as beside:

        async def one(url: str) -> "_T | str":
            got = await downloader.get(url)
            return got if isinstance(got, str) else await loop.run_in_executor(beside, finish, got)

        async with Downloader(settings) as downloader:
            outcomes = dict(zip(unique, await asyncio.gather(*map(one, unique)), strict=True))
    return ["bad_url" if url is None else outcomes[url] for url in urls]


class Downloader:
    """Fetches URLs within the settings' bounds. Use as an async context, on one loop."""

    def __init__(self, settings: "Fetch") -> None:
        """Keep the settings; sessions open on entering."""
        self._settings = settings
        self._allowed = frozenset(parse_host(entry) for entry in settings.allow_hosts)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._host_slots: defaultdict[str | None, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(settings.concurrency_per_host)
        )

    async def __aenter__(self) -> Self:
        per_host = self._settings.concurrency_per_host
        self._guarded = open_session(self._settings.user_agent, per_host, guarded=True)
        self._open = open_session(self._settings.user_agent, per_host, guarded=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._guarded.close()
        await self._open.close()

    async def get(self, url: str) -> bytes | str:
        """Return the body, or a reason. The time runs once a slot is free."""
        parsed = parse_url(url)
        if parsed is None:
            return "bad_url"
        async with self._host_slots[parsed.raw_host], self._slots:
            try:
                async with asyncio.timeout(self._settings.timeout_s) as deadline:
                    answer = await self._tries(parsed, deadline.when() or 0.0)
            except TimeoutError:
                return "timeout"
        return answer.outcome

    async def _tries(self, url: URL, deadline: float) -> Answer:
        """Follow a URL until it answers for good, tries are used up or the next would begin after the deadline."""
        loop = asyncio.get_running_loop()
        for attempt in range(self._settings.tries):
            answer = await self._follow(url)
            wait_s = max(_FIRST_WAIT_S * 2**attempt, answer.retry_after_s)
            last = attempt + 1 == self._settings.tries
            if last or not answer.may_pass or loop.time() + wait_s >= deadline:
                break
            await asyncio.sleep(wait_s)
        return answer

    async def _follow(self, url: URL) -> Answer:
        """Go from hop to hop; each is checked as the first was."""
        seen: set[URL] = set()
        while len(seen) <= self._settings.max_redirects:
            fault = refusal(url, self._allowed)
            if fault is not None:
                return Answer(fault)
            seen.add(url)
            answer = await request(self._session(url), url, self._settings.max_bytes)
            if isinstance(answer, Answer):
                return answer
            url = answer
            if url in seen:
                return Answer("redirect_loop")
        return Answer("too_many_redirects")

    def _session(self, url: URL) -> ClientSession:
        return self._open if is_allowed(url.raw_host or "", url.port, self._allowed) else self._guarded
