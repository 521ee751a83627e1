"""Packages are found, checked and unpacked with the machine's own tools."""

import shutil
import subprocess

import pytest

from curate.demo.debian import find, unpack
from curate.errors import InputError

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not on this machine")


@pytest.fixture
def deb(tmp_path):
    tree = tmp_path / "tree"
    art = tree / "usr/share/art"
    (art / "birds").mkdir(parents=True)
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        "Package: art\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: pictures\n"
    )
    (art / "birds/owl.png").write_bytes(b"owl")
    (art / "owl-again.png").symlink_to("birds/owl.png")
    (art / "outside.png").symlink_to("../../../../secret.png")
    (art / "nowhere.png").symlink_to("gone.png")
    (art / "owl.ogg").write_bytes(b"hoo")
    (tree / "usr/share/other.png").write_bytes(b"other")
    (tmp_path / "secret.png").write_bytes(b"secret")
    file = tmp_path / "art_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", str(tree), str(file)], check=True, capture_output=True)
    return file


@needs_dpkg
def test_wanted_files_are_unpacked_and_links_become_copies(deb, tmp_path):
    into = tmp_path / "a/b/c/into"
    unpack(deb, into, "usr/share/art", (".png", ".txt"))
    files = {str(p.relative_to(into)): p.read_bytes() for p in into.rglob("*") if p.is_file()}
    assert files == {"birds/owl.png": b"owl", "owl-again.png": b"owl"}
    assert not any(p.is_symlink() for p in into.rglob("*"))


@needs_dpkg
def test_what_is_no_package_is_told(tmp_path):
    broken = tmp_path / "broken.deb"
    broken.write_bytes(b"not a package")
    with pytest.raises(InputError, match=r"broken\.deb: .*end of file"):
        unpack(broken, tmp_path / "into", "usr", (".png",))


def test_a_machine_without_apt_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="apt-get is not on this machine"):
        find(["tuxpaint-stamps-default"], print)
