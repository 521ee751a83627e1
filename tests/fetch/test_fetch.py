"""The stage against a server with every bad habit: each refusal is a reason, and good rows do not mind bad ones."""

import asyncio
import concurrent.futures
import hashlib
import pickle
import socket
import ssl

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.fetch.connection import PublicResolver
from curate.fetch.hop import parse_url, refusal
from curate.fetch.picture import WRITES
from curate.fetch.stage import Fetch
from tests.fetch.pictures import SECRET, bomb_png, dirty_jpeg, dirty_png, drawing, encoded
from tests.fetch.web import NOW, Web, serving

GOOD = dirty_jpeg()
PAGES = {
    "/a.jpg": GOOD,
    "/b.png": dirty_png(),
    "/page.jpg": b"<!doctype html><title>Not found</title>",
    "/short.jpg": GOOD[: len(GOOD) // 2],
    "/bomb.png": bomb_png(),
    "/empty.jpg": b"",
    "/big.png": encoded(drawing(size=(400, 400)), "PNG", compress_level=0),
}


@pytest.fixture
def web():
    with serving(Web(PAGES)) as server:
        yield server


def fetch(web, paths, **options):
    """Return the Edited for paths (or whole URLs) on the server, which alone is allowed."""
    stage = Fetch(**{"timeout_s": 5, "allow_hosts": (web.host,), **options})
    urls = [web.url(p) if p is not None and p[:1] == "/" != p[1:2] else p for p in paths]
    return stage.open()(pa.table({"url": pa.array(urls, pa.string())}))


def reasons(web, *paths, **options):
    return fetch(web, paths, **options).failed.to_pylist()


def test_good_pictures(web):
    result = fetch(web, ["/a.jpg", "/b.png"])
    assert result.columns.schema == pa.schema(WRITES)
    assert result.changed is None
    first, second = result.columns.to_pylist()
    assert (first["image_format"], second["image_format"]) == ("jpg", "png")
    assert (first["width"], first["height"], first["original_width"], first["original_height"]) == (48, 32, 48, 32)
    assert first["sha256"] == hashlib.sha256(first["image"]).hexdigest()
    assert SECRET not in first["image"] + second["image"]
    assert result.failed.to_pylist() == [None, None]


def test_failed_rows_are_null_and_order_stays(web):
    result = fetch(web, ["/none.jpg", "/slow/a.jpg", "/page.jpg", "/b.png", None])
    assert result.failed.to_pylist() == ["http_404", None, "not_an_image", None, "bad_url"]
    assert result.columns["image_format"].to_pylist() == [None, "jpg", None, "png", None]
    assert set(result.columns.to_pylist()[0].values()) == {None}


def test_an_empty_table(web):
    result = fetch(web, [])
    assert result.columns.num_rows == 0
    assert result.columns.schema == pa.schema(WRITES)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/status/404", "http_404"),
        ("/status/410", "http_410"),
        ("/status/204", "http_204"),
        ("/status/304", "http_304"),
        ("/page.jpg", "not_an_image"),
        ("/empty.jpg", "not_an_image"),
        ("/short.jpg", "truncated_image"),
        ("/bomb.png", "too_many_pixels"),
        ("/gzip/a.jpg", "content_encoding"),
        ("/to//to//a.jpg", None),
        ("/to/ftp://example.com/a.jpg", "scheme"),
        ("/to/file:///etc/passwd", "scheme"),
        ("/to/http://u:p@example.com/", "bad_url"),
        ("/to/http://10.0.0.1/a.jpg", "private_address"),
        ("/to/http://169.254.169.254/latest/meta-data", "private_address"),
        ("/to/http://[::ffff:127.0.0.1]/", "private_address"),
        ("/to/http://localhost:1/", "private_address"),
        ("/chain/1", "too_many_redirects"),
        ("/garbage", "bad_response"),
        ("/reset", "connection"),
        ("/cut", "connection"),
    ],
)
def test_what_the_server_does(web, path, reason):
    assert reasons(web, path, tries=1) == [reason]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "bad_url"),
        ("no url", "bad_url"),
        ("//example.com/a.jpg", "bad_url"),
        ("http://", "bad_url"),
        ("http:///a.jpg", "bad_url"),
        ("http://user:secret@example.com/", "bad_url"),
        ("http://user@example.com/", "bad_url"),
        ("http://example.com:99999/", "bad_url"),
        ("http://exa\nmple.com/", "bad_url"),
        ("http://" + "a" * 300 + "/", "bad_url"),
        ("http://example.com/" + "a" * 9000, "bad_url"),
        ("file:///etc/passwd", "scheme"),
        ("ftp://example.com/a.jpg", "scheme"),
        ("data:image/png;base64,AAAA", "scheme"),
        ("http://127.0.0.1:1/", "private_address"),
        ("http://127.0.0.1./", "bad_url"),
        ("http://2130706433/", "private_address"),
        ("http://0x7f.1/", "private_address"),
        ("http://127.1/", "private_address"),
        ("http://[::1]/", "private_address"),
        ("http://[::ffff:a00:1]/", "private_address"),
        ("http://[64:ff9b::10.0.0.1]/", "private_address"),
        ("http://[fe80::1%25eth0]/", "private_address"),
        ("http://localhost/", "private_address"),
        ("http://LOCALHOST/", "private_address"),
        ("http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/", "private_address"),
        ("http://169.254.169.254/latest/meta-data/iam", "private_address"),
        ("http://134744072/", "bad_url"),
    ],
)
def test_what_the_url_says(web, url, reason):
    assert reasons(web, url, tries=1) == [reason]


def test_a_name_for_the_allowed_address_is_not_allowed(web):
    assert reasons(web, f"http://localhost:{web.port}/a.jpg") == ["private_address"]
    assert reasons(web, f"/to/http://localhost:{web.port}/a.jpg") == ["private_address"]
    assert web.requests["/a.jpg"] == 0
    assert reasons(web, f"http://localhost:{web.port}/a.jpg", allow_hosts=("localhost",)) == [None]


def test_a_redirect_to_where_it_was_is_a_loop(web):
    assert reasons(web, "/loop/0") == ["redirect_loop"]
    assert web.requests == {"/loop/0": 1, "/loop/1": 1, "/loop/2": 1}


def test_redirects_are_counted(web):
    assert reasons(web, "/to//a.jpg", max_redirects=1) == [None]
    assert reasons(web, "/to//a.jpg", max_redirects=0) == ["too_many_redirects"]


def test_too_large(web):
    assert reasons(web, "/endless", "/a.jpg", max_bytes=100_000) == ["too_large", None]
    size = len(PAGES["/big.png"])
    assert reasons(web, "/big.png", max_bytes=size) == [None]
    assert reasons(web, "/big.png", max_bytes=size - 1) == ["too_large"]


def test_one_deadline_ends_what_never_ends(web):
    assert reasons(web, "/drip", "/silent", "/a.jpg", timeout_s=0.4) == ["timeout", "timeout", None]
    assert web.requests["/drip"] == 1


def test_what_passes_is_tried_again(web):
    assert reasons(web, "/flaky/500/a.jpg", "/flaky/503/b.png", "/flaky/429/a.jpg") == [None, None, None]
    assert reasons(web, "/status/500", "/status/404", tries=2) == ["http_500", "http_404"]
    assert (web.requests["/status/500"], web.requests["/status/404"]) == (2, 1)
    assert reasons(web, "/reset", tries=2) == ["connection"]
    assert web.requests["/reset"] >= 2


def test_a_server_that_asks_for_more_time_than_there_is(web):
    assert reasons(web, "/patience/3600") == ["http_429"]
    assert web.requests["/patience/3600"] == 1
    assert reasons(web, "/patience/0", tries=2) == ["http_429"]
    assert web.requests["/patience/0"] == 2


def test_more_time_may_be_asked_for_as_a_date(web):
    later, now = (web.url(f"/patience/{date}") for date in (NOW.replace("10:", "11:"), NOW))
    assert reasons(web, later, now, tries=2) == ["http_429", "http_429"]
    assert sorted(web.requests.values()) == [1, 2]


def test_a_name_is_as_good_as_the_addresses_it_has(web, monkeypatch):
    known = {"inside.example": ["10.0.0.1", "::1"], "rebound.example": ["8.8.8.8", "127.0.0.1", "fd00::1"]}

    def getaddrinfo(host, port, *_args, **_kwargs):
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in known[host]]
        return [(f, socket.SOCK_STREAM, 6, "", (a, port)) for f, a in zip(families, known[host], strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert reasons(web, "http://inside.example/", "http://nowhere.example/") == ["private_address", "dns"]
    assert reasons(web, "/to/http://inside.example/") == ["private_address"]
    found = asyncio.run(resolved("rebound.example"))
    assert [answer["host"] for answer in found] == ["8.8.8.8"]


async def resolved(host):
    resolver = PublicResolver()
    answers = await resolver.resolve(host, 80)
    await resolver.close()
    return answers


@settings(derandomize=True, deadline=None)
@given(st.one_of(st.text(), st.text().map("http://".__add__), st.text().map("https://a.example:".__add__)))
def test_no_text_breaks_the_checks_before_a_request(text):
    url = parse_url(text)
    assert url is None or refusal(url, frozenset()) in {None, "bad_url", "scheme", "private_address"}


def test_one_request_for_equal_urls(web):
    result = fetch(web, ["/a.jpg", "/none", "/a.jpg", "/none"])
    assert result.failed.to_pylist() == [None, "http_404", None, "http_404"]
    assert web.requests == {"/a.jpg": 1, "/none": 1}


def test_requests_at_once_to_one_host(web):
    paths = [f"/slow/a.jpg?{i}" for i in range(9)]
    web.pages.update({f"/a.jpg?{i}": GOOD for i in range(9)})
    assert reasons(web, *paths, concurrency_per_host=3) == [None] * 9
    assert web.most_at_once == 3


def test_a_request_tells_no_more_than_it_must(web, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    reasons(web, "/b.png#part", "/a.jpg", user_agent="tester/1", concurrency=1)
    head = web.headers["/a.jpg"].decode().lower()
    assert "user-agent: tester/1" in head
    assert "accept-encoding: identity" in head
    assert not {"cookie", "referer", "authorization"} & {line.partition(":")[0] for line in head.split("\r\n")}
    assert "/b.png" in web.headers


def test_calls_from_several_threads(web):
    stage = pickle.loads(pickle.dumps(Fetch(allow_hosts=(web.host,), timeout_s=5)))
    table = pa.table({"url": [web.url("/a.jpg"), web.url("/none")]})
    opened = stage.open()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: opened(table), range(4)))
    assert all(r.columns == results[0].columns and r.failed == results[0].failed for r in results)


def test_an_untrusted_certificate(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    with serving(Web(PAGES), context) as web:
        assert reasons(web, f"https://{web.host}/a.jpg", tries=1) == ["tls"]


def self_signed(folder):
    """Write a certificate for 127.0.0.1 that nobody vouches for, and its key."""
    x509 = pytest.importorskip("cryptography.x509")
    import datetime as dt
    import ipaddress

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + dt.timedelta(days=36500))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    form, open_text = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(signed.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, open_text))
    return folder / "cert.pem", folder / "key.pem"
