"""Where weights are looked for, in which order, and what is said when they are nowhere."""

import hashlib

import pytest

from curate.errors import ModelError
from curate.models import Model


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No folder of models, an empty cache of the hub, and no network."""
    monkeypatch.delenv("CURATE_MODELS", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


def test_a_path_comes_before_the_folder_of_models(offline, monkeypatch):
    for place in ("here", "models"):
        (offline / place / "net").mkdir(parents=True)
    monkeypatch.setenv("CURATE_MODELS", str(offline / "models"))
    monkeypatch.chdir(offline / "here")
    assert Model("net", "MIT").locate().resolve() == offline / "here" / "net"


@pytest.mark.parametrize("folder", ["org/net", "org--net"])
def test_a_hub_name_is_found_in_the_folder_of_models(offline, monkeypatch, folder):
    (offline / "models" / folder).mkdir(parents=True)
    monkeypatch.setenv("CURATE_MODELS", str(offline / "models"))
    assert Model("org/net", "MIT").locate() == offline / "models" / folder


def test_a_file_inside_a_package_is_found_without_importing_it(offline, monkeypatch):
    package = offline / "carries_weights"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "net.bin").write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(offline))
    assert Model("package:carries_weights/net.bin", "MIT").locate() == package / "net.bin"
    with pytest.raises(ModelError, match=r"has no 'other\.bin'"):
        Model("package:carries_weights/other.bin", "MIT").locate()


@pytest.mark.parametrize("name", ["nowhere", "org/nowhere", "package:not_installed/net.bin"])
def test_what_is_nowhere_is_an_error_that_says_how_to_get_it(offline, name):
    with pytest.raises(ModelError, match=r"with pip|hf download"):
        Model(name, "MIT").locate()


def test_the_fingerprint_is_of_the_weights_that_are_named(offline):
    net = offline / "net"
    net.mkdir()
    (net / "weights.bin").write_bytes(b"one")
    (net / "readme.md").write_text("first")
    model = Model(str(net), "MIT", weights=("weights.bin",))
    before = model.fingerprint()
    (net / "readme.md").write_text("second")
    assert model.fingerprint() == before
    (net / "weights.bin").write_bytes(b"another")
    assert model.fingerprint() != before


def test_the_fingerprint_of_one_file_is_of_its_bytes(offline):
    (offline / "net.bin").write_bytes(b"one")
    (offline / "copy.bin").write_bytes(b"one")
    first, second = (Model(str(offline / n), "MIT").fingerprint() for n in ("net.bin", "copy.bin"))
    inner = hashlib.sha256(b"one").hexdigest()
    assert first == second == hashlib.sha256(inner.encode()).hexdigest()


def test_a_missing_weight_file_is_an_error(offline):
    (offline / "net").mkdir()
    with pytest.raises(ModelError, match=r"has no file weights\.bin"):
        Model(str(offline / "net"), "MIT", weights=("weights.bin",)).fingerprint()


def test_a_mistyped_name_is_told_with_the_one_that_was_meant(offline):
    with pytest.raises(ModelError, match=r"'unbiasd' is not on this machine\. Did you mean 'unbiased'\?"):
        Model("unbiasd", "MIT", known=("original", "unbiased")).locate()
