"""Pictures are fetched once, checked ever after, and what stands in for them is announced."""

import hashlib
import json
import zipfile

import pytest

from curate.demo.pictures import RECEIPT, collect
from curate.demo.wheels import WHEELS
from curate.errors import InputError

LOADERS = '''
def cat():
    """A tabby cat.

    More about it.
    """
    return _load("data/cat.png")

def volume():
    """A volume that is elsewhere."""
    return _load("data/volume.tif")

def helper():
    return "data/page.png"
'''
HOLDS = {
    "scikit_image": {
        "skimage/data/_fetchers.py": LOADERS,
        "skimage/data/cat.png": "cat",
        "skimage/data/page.png": "page",
    },
    "scikit_learn": {"sklearn/datasets/images/flower.jpg": "flower"},
}


@pytest.fixture
def without_apt(tmp_path, monkeypatch):
    """A machine without apt, and an index that holds two wheels."""
    index = tmp_path / "index"
    index.mkdir()
    for wheel in WHEELS:
        name, version = wheel.replace("-", "_").split("==")
        with zipfile.ZipFile(index / f"{name}-{version}-py3-none-any.whl", "w") as archive:
            for path, content in HOLDS[name].items():
                archive.writestr(path, content)
            info = f"{name}-{version}.dist-info"
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return index


def test_without_apt_the_wheels_serve_and_that_is_said(without_apt, tmp_path):
    said = []
    found = collect(tmp_path / "cache", said.append)
    assert found.origin == "wheels"
    assert {p.path: (p.caption, found.read(p)) for p in found.pictures} == {
        "wheels/cat.png": ("A tabby cat.", b"cat"),
        "wheels/flower.jpg": ("An orange flower in full bloom.", b"flower"),
    }
    assert any("NOT AVAILABLE: apt-get is not on this machine" in line for line in said)
    assert not list((tmp_path / "cache").glob(".fetching-*"))


def test_where_pip_fails_too_that_is_an_error(without_apt, tmp_path):
    for wheel in without_apt.iterdir():
        wheel.unlink()
    with pytest.raises(InputError, match="pip download scikit-image"):
        collect(tmp_path / "cache", print)
    assert not (tmp_path / "cache" / "pictures").exists()


def store(cache, data):
    picture = cache / "pictures/tuxpaint/owl.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(data)
    entry = {"path": "tuxpaint/owl.png", "caption": "An owl.", "sha256": hashlib.sha256(data).hexdigest()}
    receipt = {"origin": "debian", "versions": {"tuxpaint-stamps-default": "1"}, "pictures": [entry]}
    (cache / RECEIPT).write_text(json.dumps(receipt))
    return picture


def test_stored_pictures_are_used_again_only_while_they_are_whole(without_apt, tmp_path):
    cache = tmp_path / "cache"
    picture = store(cache, b"owl")
    found = collect(cache, print)
    assert (found.origin, [p.caption for p in found.pictures]) == ("debian", ["An owl."])
    picture.write_bytes(b"awl")
    assert collect(cache, print).origin == "wheels"
    assert not picture.exists()
