"""Addresses go whatever their domain ends in; files, packages and decorators stay."""

import pytest
from looking import found

from filters.pii.recognizers.private_emails import PRIVATE_EMAILS

ADDRESSES = (
    "jane@mail.corp",
    "jane.smith@host.internal",
    "j_smith+photos@intranet.local",
    "p.vandermeer@kolibri.example",
    "root@db-1.lan",
    "jane@example.test",
    "JANE@MAIL.CORP",
    "jane.m.smith@a.b.c.home",
    "smith-jane@office.invalid",
    "x@y.zz",
    "jane42@wiki.company",
    "a.b-c_d@mail.arpa",
    "jane@example.com",
    "info@museum.onion",
    "jane@xn--bcher-kva.example",
)
LOOK_ALIKES = (
    "icon@2x.png",
    "logo@3x.webp",
    "react@17.0.2",
    "lodash@4.17.21.tgz",
    "user@host",
    "@media screen",
    "@app.route",
    "git @ main.py",
    "jane@@mail.corp",
    "5@10.50",
    "jane@mail.",
    "jane@.corp",
    "style@1.css",
    "photo taken @ the beach.",
    "a@b",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_goes(address):
    assert found(PRIVATE_EMAILS, f"write to {address}, please") == [address]
    assert found(PRIVATE_EMAILS, f"<{address}>.") == [address]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_a_look_alike_stays(text):
    assert found(PRIVATE_EMAILS, text) == []
