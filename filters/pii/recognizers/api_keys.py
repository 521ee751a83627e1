"""API keys, tokens, private keys and passwords: what lets anybody act as somebody else.

Formats as their issuers and secret scanners (GitHub's, gitleaks, detect-secrets) publish them; the last rule takes what
is assigned to a telling name if it looks random, by Shannon entropy and by not being made of words.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator

from filters.pii.recognizers.recognizer import Found, Recognizer

_FORMATS = (
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,255}",  # GitHub
    r"glpat-[\w-]{20,60}",  # GitLab
    r"xox[abeoprs]-[A-Za-z0-9-]{10,255}|xapp-\d-[A-Za-z0-9-]{10,255}",  # Slack
    r"hooks\.slack\.com/services/T\w{6,20}/B\w{6,20}/\w{16,40}",
    r"AIza[\w-]{35}(?![\w-])|ya29\.[\w-]{20,255}|GOCSPX-[\w-]{20,40}",  # Google
    r"[prs]k_(?:live|test)_[A-Za-z0-9]{16,255}|whsec_[A-Za-z0-9+/=]{24,100}",  # Stripe
    r"hf_[A-Za-z0-9]{30,60}|npm_[A-Za-z0-9]{36}(?!\w)|pypi-AgEIcHlwaS5vcmc[\w-]{50,255}",  # package hubs
    r"SG\.[\w-]{16,32}\.[\w-]{30,64}",  # SendGrid
    r"do[opr]_v1_[a-f0-9]{64}|shpat_[a-fA-F0-9]{32}|sq0[a-z]{3}-[\w-]{22,43}",  # DigitalOcean, Shopify, Square
    r"\d{8,10}:AA[\w-]{33}(?![\w-])",  # Telegram
    r"eyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,1000}",  # JSON Web Token, RFC 7519
)
_KNOWN = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(_FORMATS)})")
# OpenAI, Anthropic, OpenRouter and many after them; "sk-" begins names of packages too, so these must look random.
_SK = re.compile(r"(?<![\w-])sk-(?:[a-z]{2,8}[0-9]{0,2}-){0,2}([A-Za-z0-9_-]{20,255})")
_PEM = re.compile(r"-----BEGIN (?:[A-Z]{2,9} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----))*")
_PEM_END = re.compile(r"-----END (?:[A-Z]{2,9} ){0,2}PRIVATE KEY(?: BLOCK)?-----")
_PEM_CUT_OFF = re.compile(r"-----BEGIN [A-Z ]{0,40}-----(?:\s{1,2}[A-Za-z0-9+/=]{20,80}){0,200}")
_IN_URL = re.compile(r"://[^\s/:@]{1,100}:([^\s/:@]{3,100})@")  # scheme://user:password@host
_NAMED = re.compile(
    r"(?i)(?:api[ _-]?key|secret|(?:access|private|signing|encryption|account)[ _-]?key|token|credentials?)"
    r"[\"'`\]]{0,2}\s{0,3}(?:=>|:=|[:=])\s{0,3}[\"'`]?([\w+/.~-]{16,255}={0,2})"
)
_BEARER = re.compile(r"(?i:\bbearer|authorization: ?basic)\s{1,3}([\w+/.~-]{16,4000}={0,2})")
_PASSWORD = re.compile(
    r"(?i)(?:passw(?:or)?d|passphrase|\bpwd)[\"'`]{0,2}\s{0,3}(?:[:=]|is\b)\s{0,3}[\"'`]?([^\s\"'`,;<>]{8,64})"
)
_NOT_SECRET = re.compile(r"(?i)your|change_?me|placeholder|xxxx|insert|environ|\benv\.|config\.|\*\*\*|\$\{|\(")
_WORD = re.compile(r"[a-z]+|[A-Z]+|[A-Z][a-z]+|v?[0-9]{1,4}")

MIN_BITS = 3.0  # a random string of 16 hex digits has 3.4 bits a character on average, one of 20 base64 ones 4.1


def _find(text: str) -> Iterator[Found]:
    yield from _pem(text)
    yield from (Found(*hit.span(), 0.95) for hit in _KNOWN.finditer(text))
    yield from (Found(*hit.span(), 0.9) for hit in _SK.finditer(text) if _looks_random(hit[1]))
    for pattern, is_secret in ((_NAMED, _looks_random), (_BEARER, _looks_random), (_PASSWORD, _is_password),
                               (_IN_URL, _is_password)):  # fmt: skip
        yield from (Found(*hit.span(1), 0.7) for hit in pattern.finditer(text) if is_secret(hit[1]))


def _pem(text: str) -> Iterator[Found]:
    """Find PEM blocks (RFC 7468), whole or cut off."""
    for hit in _PEM.finditer(text):
        end = _PEM_END.match(text, hit.end()) or _PEM_CUT_OFF.match(text, hit.start())
        yield Found(hit.start(), end.end() if end else hit.end(), 1.0)


def _looks_random(value: str) -> bool:
    """Tell a random string from names made of words, and from what stands for a secret in a manual."""
    if _NOT_SECRET.search(value) or sum(map(str.isdigit, value)) < 2 or not any(map(str.isalpha, value)):  # noqa: PLR2004
        return False
    if all(_WORD.fullmatch(part) for part in re.split(r"[^A-Za-z0-9]+", value) if part):
        return False
    counts = Counter(value).values()
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
    return bits >= MIN_BITS


def _is_password(value: str) -> bool:
    return not _NOT_SECRET.search(value) and any(map(str.isdigit, value)) and any(map(str.isalpha, value))


API_KEYS = Recognizer(
    name="ApiKeyRecognizer",
    entity="API_KEY",
    needs=(
        r"A[A-Z]{3}[A-Z2-7]{16}|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|xapp-|hooks\.slack|AIza|ya29\.|GOCSPX-|whsec_"
        r"|[prs]k_(?:live|test)_|hf_|npm_|pypi-|SG\.|do[opr]_v1_|shpat_|sq0|:AA|eyJ|sk-|PRIVATE KEY|://[^\s/@]{1,201}@"
        r"|(?i:key|secret|token|credentials?|passw(?:or)?d|passphrase|pwd)[\"'`\]]{0,2}\s{0,3}(?:=|:|is\b)"
        r"|(?i:bearer|authorization: ?basic)\s"
    ),
    find=_find,
)
