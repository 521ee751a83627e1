"""Which addresses are public, in every form they can be spelled."""

import pytest

from curate.fetch.address import PrivateAddressError, is_allowed, is_public, literal_fault, parse_host
from curate.fetch.connection import public_socket

CLOSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::7f00:1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254",
    "ff02::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "3fff::1", "5f00::1",
    "64:ff9b:1::a00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1", "", "localhost", "1.2.3", "2130706433",
]  # fmt: skip
OPEN = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
    "192.0.1.1", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e",
    "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2001:200::1",
]  # fmt: skip


@pytest.mark.parametrize("address", CLOSED)
def test_closed_addresses(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", OPEN)
def test_open_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("2130706433", "private_address"),
        ("0x7f000001", "private_address"),
        ("0x7f.1", "private_address"),
        ("0177.0.0.1", "private_address"),
        ("127.1", "private_address"),
        ("10.1", "private_address"),
        ("0", "private_address"),
        ("::1", "private_address"),
        ("fe80::1%eth0", "private_address"),
        ("134744072", "bad_url"),
        ("8.8.8.8", None),
        ("example.com", None),
        ("1and1.com", None),
    ],
)
def test_hosts_spelled_as_numbers(host, fault):
    assert literal_fault(host) == fault


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [("images.internal", "images.internal", None), ("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:8080", "::1", 8080)],
)
def test_entries_of_allow_hosts(entry, host, port):
    assert parse_host(entry) == (host, port)


@pytest.mark.parametrize("entry", ["", "http://a", "a/b", "user@host", "a b", "host:port", "host:99999", ":80"])
def test_wrong_entries_are_refused(entry):
    with pytest.raises(ValueError):
        parse_host(entry)


def test_a_port_in_the_list_allows_that_port_only():
    listed = frozenset({("a.internal", 8080), ("b.internal", None)})
    assert is_allowed("A.internal", 8080, listed)
    assert not is_allowed("a.internal", 80, listed)
    assert is_allowed("b.internal", 1, listed)
    assert not is_allowed("c.b.internal", 1, listed)


def test_no_socket_is_made_for_a_private_address():
    with pytest.raises(PrivateAddressError):
        public_socket((2, 1, 6, "", ("127.0.0.1", 80)))
    with pytest.raises(PrivateAddressError):
        public_socket((10, 1, 6, "", ("::ffff:7f00:1", 80, 0, 0)))
    public_socket((2, 1, 6, "", ("8.8.8.8", 80))).close()
