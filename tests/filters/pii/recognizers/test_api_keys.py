"""Keys, tokens and passwords go; hashes, names and what stands for a key in a manual stay.

Every key here is made from a fixed seed in the form that its issuer publishes.
"""

import random
import string

import pytest
from looking import found

from filters.pii.recognizers.api_keys import API_KEYS

RANDOM = random.Random(7)
BASE62 = string.ascii_letters + string.digits


def made(length, alphabet=BASE62):
    return "".join(RANDOM.choices(alphabet, k=length))


PEM = "-----BEGIN {0}PRIVATE KEY-----\n" + "\n".join(made(64) for _ in range(4)) + "\n-----END {0}PRIVATE KEY-----"
KEYS = (
    ("AWS", "AKIA" + made(16, string.ascii_uppercase + "234567")),
    ("GitHub", "ghp_" + made(36)),
    ("GitHub fine-grained", "github_pat_" + made(22) + "_" + made(59)),
    ("GitLab", "glpat-" + made(20)),
    ("Slack", "xoxb-" + made(12, string.digits) + "-" + made(24)),
    ("Google", "AIza" + made(35)),
    ("Stripe", "sk_live_" + made(24)),
    ("OpenAI", "sk-" + made(48)),
    ("OpenAI project", "sk-proj-" + made(74)),
    ("Anthropic", "sk-ant-api03-" + made(93)),
    ("Hugging Face", "hf_" + made(34)),
    ("npm", "npm_" + made(36)),
    ("SendGrid", "SG." + made(22) + "." + made(43)),
    ("Telegram", made(9, "123456789") + ":AA" + made(33)),
    ("JWT", f"eyJ{made(30)}.eyJ{made(60)}.{made(43)}"),
    ("RSA", PEM.format("RSA ")),
    ("PKCS8", PEM.format("")),
    ("OpenSSH", PEM.format("OPENSSH ")),
)
NAMED = (
    ('api_key = "{}"', made(32)),
    ("API-KEY: {}", made(32, "0123456789abcdef")),
    ('"client_secret": "{}"', made(24)),
    ("export SECRET_TOKEN={}", made(40)),
    ("aws_secret_access_key = {}", made(40)),
    ("Authorization: Bearer {}", made(40)),
    ("password: {}", "hunter2hunter"),
    ("my password is {}", "hunter2hunter"),
    ("PASSWORD='{}'", "S3cr3t!pw"),
    ("postgres://admin:{}@db.example.com/x", "pa55word"),
)
LOOK_ALIKES = (
    "sk-learn-contrib is a project",
    "the risk-adjusted returns-of-portfolio-12",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "123e4567-e89b-12d3-a456-426614174000",
    'api_key = "YOUR_API_KEY_HERE_123"',
    "api_key: str | None = None",
    "token = os.environ['API_TOKEN_12']",
    "secret: process.env.SECRET_KEY_2",
    "session token: user_profile_settings_v2",
    "the token is a unit of text",
    "password: ********",
    "password: required",
    "the password is long and secret",
    "Password must have 8 characters",
    "the key: a small brass one",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "AKIA is an airline",
    "https://example.com:8080/a",
    "https://example.com/a:b@c",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB",
    "bearer of bad news from the northern frontier",
    "tokens: 1000000000000000",
    "SG.1 and SG.2",
    "hf_hub_download(repo_id)",
    "npm_config_registry",
    "IMG_20230415_123456",
)


@pytest.mark.parametrize(("issuer", "key"), KEYS, ids=[issuer for issuer, _ in KEYS])
def test_key_of_a_known_form_goes(issuer, key):
    for around in ("{}", "use {} here", 'key="{}"', "({})"):
        assert found(API_KEYS, around.format(key)) == [key]


@pytest.mark.parametrize(("text", "value"), NAMED, ids=[text for text, _ in NAMED])
def test_what_is_assigned_to_a_telling_name_goes(text, value):
    assert found(API_KEYS, text.format(value)) == [value]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_ordinary_text_stays(text):
    assert found(API_KEYS, text) == []


def test_private_key_that_is_cut_off_goes_too():
    cut = PEM.format("")[:150]
    assert found(API_KEYS, cut) == [cut]
    assert found(API_KEYS, "-----BEGIN PRIVATE KEY----- is how it begins") == ["-----BEGIN PRIVATE KEY-----"]
