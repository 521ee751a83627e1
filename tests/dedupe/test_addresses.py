"""One spelling for every address of a page, and none for what is no address."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe.addresses import canonical

SAME = (
    ("HTTP://Example.COM:80/a/../b/./c?b=2&a=1&utm_source=x#frag", "http://example.com/b/c?a=1&b=2"),
    ("http://example.com", "http://example.com/"),
    ("  http://example.com./?  ", "http://example.com/"),
    ("https://example.com:443/%7euser/%2f?q=a%20b&q=a+b", "https://example.com/~user/%2F?q=a+b&q=a+b"),
    ("http://bücher.example/ü?ü=1", "http://xn--bcher-kva.example/%C3%BC?%C3%BC=1"),
    ("http://user:pw@example.com:8080/", "http://user:pw@example.com:8080/"),
    ("http://[::1]:80/x", "http://[::1]/x"),
    ("http://example.com/?gclid=3&UTM_Medium=1&fbclid=2", "http://example.com/"),
    ("http://example.com/?z&y=", "http://example.com/?y=&z="),
    ("http://example.com/?b=2&a=2&a=1", "http://example.com/?a=2&a=1&b=2"),
    ("http://example.com/#top", "http://example.com/"),
    ("http://example.com/a b", "http://example.com/a%20b"),
)
APART = (
    ("http://example.com/a", "http://example.com/A"),
    ("http://example.com/a", "http://example.com/a/"),
    ("http://example.com/a", "https://example.com/a"),
    ("http://example.com/a", "http://www.example.com/a"),
    ("http://example.com/a", "http://example.com:8080/a"),
    ("http://example.com/a%2Fb", "http://example.com/a/b"),
    ("http://example.com/?q=a%2Bb", "http://example.com/?q=a+b"),
    ("http://example.com/?q=%E4", "http://example.com/?q=%F6"),  # Latin-1, which no decoder may merge to one sign
    ("http://example.com/?a=1&a=2", "http://example.com/?a=2&a=1"),
    ("http://example.com/?utm=1", "http://example.com/"),
    ("http://example.com/#!/one", "http://example.com/#!/two"),
)


@pytest.mark.parametrize(("spelled", "one"), SAME)
def test_one_spelling(spelled, one):
    assert canonical(spelled) == one
    assert canonical(one) == one


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_may_differ_stays_different(one, other):
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "url", ["", "no url", "/path", "//example.com/a", "http:///x", "mailto:a@b.c", "http://a:99999/", "http://[::1/"]
)
def test_what_is_no_absolute_url_has_no_spelling(url):
    assert canonical(url) is None


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.text("abAB%/?&=#+;:@!.~ 27Ffü", max_size=30))
def test_its_own_spelling_is_a_fixed_point(anything, path):
    for url in (anything, f"http://example.com/{path}", f"http://example.com/?{path}"):
        one = canonical(url)
        assert one is None or canonical(one) == one
