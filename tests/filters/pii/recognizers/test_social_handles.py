"""Names on social networks go; at signs of mail, of programs and of speech stay."""

import pytest
from looking import found

from filters.pii.recognizers.social_handles import SOCIAL_HANDLES

HANDLES = (
    ("photo by @jane_smith", "@jane_smith"),
    ("@jane.smith on Instagram", "@jane.smith"),
    ("thanks @JaneSmith84!", "@JaneSmith84"),
    ("(@janesmith)", "@janesmith"),
    ("cc @jane-smith, please", "@jane-smith"),
    ("follow @jane@mastodon.example", "@jane@mastodon.example"),
    ("@_jane_: so true", "@_jane_"),
    ("RT @jane: hello", "@jane"),
    ("twitter.com/janesmith", "janesmith"),
    ("https://www.instagram.com/jane.smith/", "jane.smith"),
    ("https://x.com/janesmith/status/12345", "janesmith"),
    ("https://www.linkedin.com/in/jane-smith-12ab34/", "jane-smith-12ab34"),
    ("https://t.me/janesmith", "janesmith"),
    ("https://www.tiktok.com/@janesmith", "janesmith"),
    ("https://github.com/janesmith", "janesmith"),
    ("https://bsky.app/profile/jane.bsky.social", "jane.bsky.social"),
    ("reddit.com/user/jane_smith", "jane_smith"),
    ("posted by u/jane_smith", "jane_smith"),
    ("IG: jane.smith", "jane.smith"),
    ("Instagram handle is janesmith", "janesmith"),
    ("https://m.facebook.com/jane.smith.12", "jane.smith.12"),
    ('{"user": "@janesmith"}', "@janesmith"),
    ("my Discord: jane#1234", "jane#1234"),
    ("Snapchat: janesnaps", "janesnaps"),
)
LOOK_ALIKES = (
    "jane@example.com",
    "mailto:jane@example.com",
    "@media (max-width: 600px) { }",
    "@import url('a.css');",
    "@keyframes spin { }",
    "@property\ndef name(self):",
    "    @cached_thing\n    def size(self):",
    "@app.route('/')",
    "@pytest.fixture",
    "@Override\npublic void run()",
    "/** @param name the name */",
    "npm install @types/node",
    '{"@context": "https://schema.org", "@type": "Person"}',
    '{"@has": "an attribute"}',
    "dig @localhost google.com",
    "ruff check @arguments.txt",
    "https://rom1504.medium.com/semantic-search-at-billions",
    "dinner @home",
    "meet @noon",
    "see you @3pm",
    "logo@2x.png",
    "2 apples @ 50 cents",
    "contact us @example.com",
    "my @ISA = qw(Exporter);",
    "@article{smith2020, title={On}}",
    "https://github.com/python/cpython",
    "https://twitter.com/search?q=cat",
    "https://www.instagram.com/p/Cxyz123/",
    "instagram is full of cats",
    "an email @ work",
    "ssh git@github.com:a/b.git",
    "use ``@wraps_it`` here",
    "the menu/side dish",
)


@pytest.mark.parametrize(("text", "handle"), HANDLES)
def test_handle_goes(text, handle):
    assert found(SOCIAL_HANDLES, text) == [handle]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_other_at_signs_stay(text):
    assert found(SOCIAL_HANDLES, text) == []
