"""The demo's server does what each address says."""

import socket
import urllib.error
import urllib.request

import pytest

from curate.demo.server import HOST, serving
from curate.errors import CurateError


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def get(url, *, follow=True):
    opener = urllib.request.build_opener() if follow else urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(url, timeout=10) as response:
            return response.status, response.read(), dict(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


@pytest.fixture
def server(tmp_path):
    (tmp_path / "animals").mkdir()
    (tmp_path / "animals" / "owl.png").write_bytes(b"\x89PNG owl")
    (tmp_path.parent / "secret.png").write_bytes(b"not served")
    with serving(tmp_path, port=0) as address:
        yield address


def test_files_come_as_they_are_and_nothing_outside_the_folder(server):
    status, body, headers = get(f"{server}/files/animals/owl.png")
    assert (status, body, headers["Content-Type"]) == (200, b"\x89PNG owl", "image/png")
    assert get(f"{server}/files/animals/cat.png")[0] == 404
    assert get(f"{server}/files/../secret.png")[0] in {403, 404}
    assert get(f"{server}/files/%2e%2e/secret.png")[0] in {403, 404}


def test_missing(server):
    assert get(f"{server}/missing/owl.png")[0] == 404


def test_flaky_gives_the_file_at_every_third_request_of_a_path(server):
    url = f"{server}/flaky/animals/owl.png"
    assert [get(url)[0] for _ in range(6)] == [500, 500, 200, 500, 500, 200]
    get(url), get(url)
    assert get(url)[1] == b"\x89PNG owl"


def test_redirects_lead_round_and_to_private_addresses(server):
    status, _, headers = get(f"{server}/loop/a/owl.png", follow=False)
    assert (status, headers["Location"]) == (302, "/loop/b/owl.png")
    assert get(f"{server}/loop/b/owl.png", follow=False)[2]["Location"] == "/loop/a/owl.png"
    assert get(f"{server}/elsewhere/10.0.0.1/owl.png", follow=False)[2]["Location"] == "http://10.0.0.1/owl.png"


def test_a_page_claims_to_be_a_picture(server):
    status, body, headers = get(f"{server}/page/owl.jpg")
    assert (status, headers["Content-Type"]) == (200, "image/jpeg")
    assert body.startswith(b"<!doctype html>")


def test_endless_body_goes_past_any_bound_without_a_length(server):
    with urllib.request.urlopen(f"{server}/endless/owl.png", timeout=10) as response:
        assert response.headers["Content-Length"] is None
        assert len(response.read(20_000_000)) == 20_000_000


def test_drip_begins_like_a_picture_and_does_not_end(server):
    with socket.create_connection((HOST, int(server.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(b"GET /drip/owl.png HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while b"\x89PNG" not in received:
            received += connection.recv(4096)
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(4096)


def test_it_stops_while_somebody_still_reads(tmp_path):
    with serving(tmp_path, port=0) as address:
        response = urllib.request.urlopen(f"{address}/drip/owl.png", timeout=10)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{address}/missing/owl.png", timeout=10)
    response.close()


def test_a_taken_port_is_told_with_its_remedy(server, tmp_path):
    port = int(server.rpartition(":")[2])
    with pytest.raises(CurateError, match=rf"port {port} of 127.0.0.1 is taken.*--port"), serving(tmp_path, port=port):
        pass
