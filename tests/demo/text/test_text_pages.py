"""Where the pages come from, and what becomes of them without Debian's packages."""

import pytest

from curate.demo.text.__main__ import main
from curate.demo.text.pages import SPACY, collect
from curate.errors import InputError


def test_without_apt_it_says_so_and_takes_spacys_sentences(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    said = []
    pages = collect(tmp_path / "cache", said.append)
    assert pages.origin == SPACY
    assert "NOT AVAILABLE" in said[0]
    languages = [page.language for page in pages.help]
    assert len(languages) == len(set(languages)) > 50
    (german,) = (page for page in pages.help if page.language == "de")
    assert (
        "<p>Die ganze Stadt ist ein Startup: Shenzhen ist das Silicon Valley für Hardware-Firmen</p>".encode()
        in german.html
    )


def test_without_either_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install"):
        collect(tmp_path / "cache", print)
    assert main(["--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "out")]) == 1
    assert "pip install" in capsys.readouterr().err
