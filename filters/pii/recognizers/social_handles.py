"""Names of people on social networks: @name, and the address of a profile.

A handle after an at sign is told from an e-mail address, from what programs write so (decorators, CSS rules, tags of
JSON-LD and Javadoc, scoped packages) and from an at sign that only means "at" (@home, @3pm).
"""

import re
from collections.abc import Iterator

from filters.pii.recognizers.recognizer import Found, Recognizer

# Twitter allows 15 characters, Instagram 30 with dots, Mastodon a server after a second at sign.
_AT_NAME = re.compile(
    r"(?<![\w@./+#&%=:$\\-])@([A-Za-z_](?:[\w-]|\.(?=\w)){1,29}+)(@[A-Za-z0-9-]{1,63}+(?:\.[A-Za-z0-9-]{1,63}+){1,4}+)?+"
    r"(?![\w@/]|[ ]?[=({\[]|::)"
)
_PROFILE = re.compile(
    r"(?i)(?<![\w.-])(?:(?:www|m|mobile|[a-z]{2})\.)?(?:(?:twitter|x|instagram|facebook|fb|tiktok|threads|soundcloud|twitch|snapchat|pinterest|vk|medium|patreon)"
    r"\.(?:com|net|tv)|t\.me|instagr\.am|bsky\.app/profile|reddit\.com/(?:u|user)|youtube\.com/(?:c|user)"
    r"|linkedin\.com/in|flickr\.com/(?:people|photos))/@?([\w.%-]{2,60})"
)
# With more behind it, it is a project.
_GITHUB = re.compile(r"(?i)\b(?:github|gitlab)\.com/([a-z0-9][a-z0-9-]{1,38})(?![\w/.-]*\w)")
_REDDIT = re.compile(r"(?<![\w/.])/?u/([A-Za-z0-9_-]{3,20})(?![\w/])")
_NAMED = re.compile(
    r"(?i)\b(?:instagram|insta|ig|twitter|tiktok|snapchat|snap|telegram|discord|bluesky|mastodon|kik)"
    r"(?: ?(?:handle|name|user ?name|id) ?(?:is|[:=])| ?[:=]) {0,2}@?([a-z_](?:\w|\.(?=\w)){2,29}(?:#\d{4})?)(?![\w.]*[ ]?@|://)"
)
# Lines that only programs have after a decorator.
_DECORATED = re.compile(
    r"[ \t]*\r?\n[ \t]*(?:def |class |async |public |private |protected |static |export |fun |void )"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CODE = _words(
    """
    abstractmethod apply author autowired base bean brief cached cached_property charset classmethod code
    component container context controller copyright counter-style dataclass deprecated document each echo else
    entity example exception extend file fixture font-face font-feature-values for function getmapping graph id if
    implementation import include index inheritdoc injectable input interface keyframes language layer license
    link list localhost media mixin namespace none nonnull note notnull nullable objc off output override page
    param params property protocol pytest.fixture readonly receiver rem repository requestmapping return returns reverse
    safevarargs screen see selector service set since singleton staticmethod supports suppresswarnings synthesize
    tailwind test throws todo transactional type typedef use value var version viewport vocab while wraps
    """
)
_PLACES = _words(
    """
    all anywhere beach breakfast channel church dawn dinner dusk everyone first gmail her here him his home large
    last least lunch midday midnight most my night noon office once our own present rate school someone sunrise
    sunset that the their them this those time times today tomorrow tonight us will work your
    """
)
_PAGES = _words(
    """
    about accounts ads business careers channel developers docs download events explore features games groups
    hashtag help home i in intent jobs legal login marketplace notifications orgs p pages people photo photos
    policies pricing privacy reel reels search settings share sharer sharer.php signup status stories terms topics
    tos trending tv videos watch widgets
    """
)
_DOMAIN = re.compile(
    r"(?i)\.(?:com|org|net|edu|gov|info|io|dev|co|uk|de|fr|es|it|nl|eu|us|ca|au|jp|ru|ch|at|be|local|txt|py|js|ts|json|ya?ml|toml|cfg|md|csv)$"
)


def _find(text: str) -> Iterator[Found]:
    for hit in _AT_NAME.finditer(text):
        if hit[2] or (_is_name(hit[1]) and not _is_code(text, *hit.span())):
            yield Found(*hit.span(), 0.7)
    for pattern in (_PROFILE, _GITHUB, _REDDIT, _NAMED):
        for hit in pattern.finditer(text):
            if hit[1].lower().rstrip(".") not in _PAGES:
                yield Found(*hit.span(1), 0.6)


def _is_code(text: str, start: int, stop: int) -> bool:
    """Tell a decorator above its function, a key of JSON, and what stands between backticks."""
    if text[start - 1 : start] in {"'", '"'} and text.startswith((f"{text[start - 1]}:", f"{text[start - 1]} :"), stop):
        return True
    quoted = text.startswith("``", start - 2) or (text[start - 1 : start] == text[stop : stop + 1] == "`")
    return quoted or _DECORATED.match(text, stop) is not None


def _is_name(handle: str) -> bool:
    name = handle.lower()
    return name not in _CODE and name not in _PLACES and not _DOMAIN.search(name)


SOCIAL_HANDLES = Recognizer(
    name="SocialHandleRecognizer",
    entity="SOCIAL_HANDLE",
    needs=(
        r"(?:^|[^\w@])@[A-Za-z_]|(?:^|[^\w.])u/[\w-]{3}|(?i:\.(?:com|net|tv|me|am|app)/)"
        r"|(?i:\b(?:insta|ig|twitter|tiktok|snap|telegram|discord|bluesky|mastodon|kik)[^:=\n]{0,20}(?:is|[:=]))"
    ),
    find=_find,
)
