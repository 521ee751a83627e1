"""The stage `fetch`: from URLs to checked pictures."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field, field_validator

from curate.fetch.address import parse_host
from curate.fetch.picture import MOST_PIXELS, UNREADABLE, WRITES, Picture, check_picture, edited
from curate.fetch.resize import Resize
from curate.stage import Edit, Edited, Editor, Resources, threshold

_EFFORT = ("timeout_s", "tries", "concurrency", "concurrency_per_host")


class Fetch(Edit):
    """Download the picture at each URL, within bounds; refuse what is not whole; strip its metadata.

    Not implemented: robots.txt and X-Robots-Tag.
    """

    name: ClassVar[str] = "fetch"
    reads: ClassVar[tuple[str, ...]] = ("url",)
    writes: ClassVar[tuple[pa.Field, ...]] = WRITES
    resources: ClassVar[Resources] = Resources(cpus=0.25)  # it waits most of the time
    permanent: ClassVar[frozenset[str]] = UNREADABLE | {
        "bad_url",
        "scheme",
        "private_address",
        "redirect_loop",
        "too_many_redirects",
        "too_large",
        "content_encoding",
        "resize_failed",
        "http_404",
        "http_410",
        "http_451",
    }

    max_failed_fraction: float | None = threshold(
        0.5, "share of the URLs that may fail: links die, so this is far above a recipe's own", ge=0, le=1
    )
    max_bytes: int = Field(20_000_000, ge=1, description="bytes of a body; reading stops there")
    max_pixels: int = Field(50_000_000, ge=1, le=MOST_PIXELS, description="width times height, checked before decoding")
    timeout_s: float = Field(20.0, gt=0, description="seconds for a sample: all redirects and tries together")
    tries: int = Field(3, ge=1, le=10, description="on connection errors and the statuses 429 and 5xx")
    max_redirects: int = Field(5, ge=0, le=20, description="hops after the first request")
    concurrency: int = Field(64, ge=1, le=1024, description="requests at once in a worker")
    concurrency_per_host: int = Field(8, ge=1, le=1024, description="requests at once to one host in a worker")
    allow_hosts: tuple[str, ...] = Field(
        (), description="`host` or `host:port`, as URLs spell it, that may be contacted at private addresses too"
    )
    user_agent: str = Field(
        "Mozilla/5.0 (compatible; curate-multimodal)", pattern="^[ -~]+$", description="how requests name themselves"
    )
    resize: Resize | None = Field(None, description="re-encode at another size; where not set pixels are untouched")

    @field_validator("allow_hosts")
    @classmethod
    def _hosts(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            parse_host(entry)
        return entries

    def measuring(self) -> dict[str, Any]:
        """Leave out what only decides how hard to try: a picture that was fetched is the same either way."""
        return {name: value for name, value in super().measuring().items() if name not in _EFFORT}

    def open(self) -> Editor:
        """Return a function that fetches a table's URLs on an event loop of its own."""
        from curate.fetch.download import download

        finish = self._finish()

        def fetched(table: pa.Table) -> Edited:
            urls = table["url"].to_pylist()
            return edited(asyncio.run(download(urls, self, finish)))

        return fetched

    def _finish(self) -> Callable[[bytes], Picture | str]:
        if self.resize is None:
            return lambda body: check_picture(body, self.max_pixels)
        resized = self.resize.open(self.max_pixels)

        def finish(body: bytes) -> Picture | str:
            picture = check_picture(body, self.max_pixels)
            return picture if isinstance(picture, str) else resized(picture)

        return finish
