"""The settings of `fetch`: what is refused, what names a result, and that the documentation knows every reason."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from curate.fetch.stage import Fetch
from curate.sources.image_folder import ImageFolder
from curate.sources.read_images import ReadImages
from curate.sources.urls import Urls

DOCUMENT = Path(__file__).parents[2] / "docs" / "fetch.md"


@pytest.mark.parametrize(
    "wrong",
    [
        {"allow_hosts": ("http://a",)},
        {"user_agent": "a\r\nCookie: b"},
        {"max_pixels": 10**9},
        {"timeout_s": 0},
        {"resize": {"size": 0}},
        {"resize": {"mode": "squash"}},
        {"resize": {"format": "png", "quality": 95}},
        {"time_out": 1},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        Fetch(**wrong)


def test_effort_does_not_change_what_is_computed():
    assert Fetch(timeout_s=3, tries=1, concurrency=2).identity() == Fetch().identity()
    assert Fetch(max_pixels=5).identity() != Fetch().identity()
    assert Fetch(resize={"size": 64}).identity() != Fetch().identity()


def test_every_reason_is_documented():
    text = DOCUMENT.read_text()
    reasons = Fetch.permanent | Urls.permanent | ImageFolder.permanent | ReadImages.permanent
    for reason in reasons - {"http_410", "http_451"}:
        assert f"`{reason}`" in text, reason
    marked = set(re.findall(r"^\| `(\w+)`[^|]*\| \u2022 \|", text, re.MULTILINE))
    assert marked == Fetch.permanent - {"http_410", "http_451"}
