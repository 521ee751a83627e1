"""What is asked for, as it is compared."""

import re

import pytest

from curate.erase.selectors import canonical_url, fold, host_of, read_selectors, selector, within
from curate.errors import InputError

from .runs import picture

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("HTTP://Example.COM:80/A.jpg#top", "http://example.com/A.jpg"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com:8443/a?b=C&a=1", "https://example.com:8443/a?b=C&a=1"),
        ("https://Jane@Example.com/a", "https://Jane@example.com/a"),
        ("http://[2001:DB8::1]:80/a", "http://[2001:db8::1]/a"),
        ("album/Person 1.jpg", "album/Person 1.jpg"),
        ("http://[broken", "http://[broken"),
    ],
)
def test_addresses(given, canonical):
    assert canonical_url(given) == canonical
    assert canonical_url(canonical) == canonical


def test_what_tells_two_pictures_apart_is_kept():
    urls = ["http://a.com/a", "http://a.com/A", "http://a.com/a?x=1", "https://a.com/a", "http://b.a.com/a"]
    assert len({canonical_url(url) for url in urls}) == len(urls)


@pytest.mark.parametrize(
    ("host", "hit"),
    [
        ("example.com", True),
        ("cdn.example.com", True),
        ("example.com.evil.org", False),
        ("badexample.com", False),
        ("", False),
    ],
)
def test_domains(host, hit):
    assert within(host, selector("domain", "*.Example.COM").value) is hit
    assert selector("domain", "https://example.com:8080/a").value == "example.com"
    assert host_of("https://Example.com./a") == "example.com"


def test_texts_are_compared_without_case_width_and_line_breaks():
    assert fold("\uff2aane\n  SMITH ﬁne") in fold("see JANE smith FINE print")
    assert fold("STRASSE") == fold("Straße")


def test_a_list_of_selectors(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text('kind,value\nurl,"https://example.com/a,b.jpg"\n\nhttps://example.com/c.jpg\n' + "0a" * 16
                    + "\ndomain,example.org\nText,Jane Smith\n")  # fmt: skip
    assert [(s.kind, s.value) for s in read_selectors(str(path))] == [
        ("url", "https://example.com/a,b.jpg"),
        ("url", "https://example.com/c.jpg"),
        ("key", "0a" * 16),
        ("domain", "example.org"),
        ("text", "jane smith"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Jane Smith", r"list.csv:2: 'Jane Smith' is no URL and no key. Write `kind,value`"),
        ("txt,Jane Smith", r"Did you mean 'text'\?"),
        ("text,ab", r"list.csv:2: --text 'ab': names nothing. Give at least 3 characters"),
        ("image,/nowhere.jpg", r"list.csv:2: /nowhere.jpg: No such file"),
    ],
)
def test_lines_that_name_nothing(tmp_path, line, said):
    path = tmp_path / "list.csv"
    path.write_text(f"url,https://example.com/a\n{line}\n")
    with pytest.raises(InputError, match=said):
        read_selectors(str(path))


@pytest.mark.parametrize(("kind", "given"), [("key", "../x"), ("url", " "), ("domain", "..."), ("text", " a ")])
def test_selectors_that_name_nothing(kind, given):
    with pytest.raises(InputError, match=re.escape(f"--{kind} {given!r}: names nothing")):
        selector(kind, given)


def test_empty_and_unreadable_lists(tmp_path):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "latin").write_bytes("url,http://a/é".encode("latin-1"))
    for name, said in (("empty", "holds no selector"), ("latin", "is not UTF-8"), ("none", "No such file")):
        with pytest.raises(InputError, match=said):
            read_selectors(str(tmp_path / name))


def test_marks_are_keyed_and_know_spellings_of_one_thing(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(picture(1))
    (tmp_path / "b.jpg").write_bytes(picture(1))
    one = selector("url", "HTTP://example.com:80/a")
    assert one.mark(SECRET) == selector("url", "http://example.com/a#x").mark(SECRET)
    assert len({one.mark(SECRET), one.mark(SECRET[::-1]), selector("text", "http://example.com/a").mark(SECRET)}) == 3
    assert selector("image", str(path)).mark(SECRET) == selector("image", str(tmp_path / "b.jpg")).mark(SECRET)
