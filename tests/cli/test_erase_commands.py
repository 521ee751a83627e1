"""forget, rewrite and explain as commands: what they print, and their exit statuses."""

import json
import os
import shutil

import pytest

from curate.shards import ShardReader
from curate.storage import Folder
from tests.run.lines import command, spelled


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = tmp_path_factory.mktemp("erase")
    (root / "lines.yaml").write_text(spelled())
    assert command("run", root / "lines.yaml", "--out", root / "run", "--local").returncode == 0
    return root


@pytest.fixture
def out(finished, tmp_path):
    shutil.copytree(finished / "run", tmp_path / "run", copy_function=shutil.copy2)
    return tmp_path / "run"


def keys(out):
    reader = ShardReader(str(out))
    return {json.loads(reader.read(i)["json"])["url"]: reader.key(i) for i in range(len(reader))}


def said(*words, status=0, **environment):
    done = command(*words, env={**os.environ, **environment})
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_from_request_to_certificate(finished, out):
    (url, key), (other, _), *_ = keys(out).items()
    dry = said("forget", out, "--url", url, "--dry-run").stdout.splitlines()
    assert dry[:2] == ["would erase 1 samples (1 published)", "  00000.tar: 1"]
    assert dry[2].endswith("samples were judged copies of them: left; --with-duplicates erases them too")
    assert not (out / "tombstones.parquet").exists()

    done = said("forget", out, "--url", url, "--key", keys(out)[other], "--request", "R-1").stdout.splitlines()
    assert done[0] == "erased 2 samples (2 published)"
    assert done[-1] == f"request R-1: readers hide them from now on; curate rewrite {out} removes them"
    assert set(keys(out)) & {url, other} == set()
    assert said("check", out).returncode == 0
    again = said("forget", out, "--url", url).stdout.splitlines()
    assert again[0] == "already forgotten: 1 samples; nothing of them was changed"

    lines = said("rewrite", out).stdout.splitlines()
    assert lines[0].startswith("request R-1: 2 samples removed at 20")
    assert lines[1] == "  00000.tar -> 00000-r1.tar: 2 samples fewer"
    assert "  no checkpoint was looked at: give --checkpoints the folders of models trained on this run" in lines
    assert lines[-1] == f"  certificate: {out}/erasures/R-1.json"
    assert said("rewrite", out).stdout.startswith("nothing to rewrite: all that was forgotten is gone. Version ")
    assert said("check", out).returncode == 0
    story = said("explain", out, key).stdout.splitlines()
    assert story[0] == f"sample {key} of {out}"
    assert "webdataset: dropped, erased" in story
    assert said("run", finished / "lines.yaml", "--out", out, "--local").returncode == 0


def test_what_is_nowhere_is_named_and_the_rest_is_done(out):
    (url, _), *_ = keys(out).items()
    done = said("forget", out, "--url", url, "--url", "http://example.com/none", "--domain", "example.org", status=1)
    assert done.stderr.splitlines()[-2:] == [
        f"curate: --url http://example.com/none: meets no sample of {out}",
        f"curate: --domain example.org: meets no sample of {out}",
    ]
    assert done.stdout.startswith("erased 1 samples")
    assert url not in keys(out)


def test_lists_and_json(out, tmp_path):
    urls = list(keys(out))[:3]
    (tmp_path / "list").write_text("\n".join(urls))
    done = json.loads(said("forget", out, "--from", tmp_path / "list", "--with-duplicates", "--json").stdout)
    assert done["request"].startswith("erasure-")
    assert {e["fate"] for e in done["erased"].values()} == {"kept", "dropped"}
    assert {e["selector"] for e in done["erased"].values()} == {"url", "duplicate"}
    assert done["duplicates"]["followed"] is True
    told = json.loads(said("rewrite", out, "--json").stdout)
    assert told["removed"] == len(done["erased"])
    assert told["certificates"][0]["request"] == done["request"]
    assert told["version"] == ShardReader(str(out)).version


def test_explain_by_address(out):
    (url, key), *_ = keys(out).items()
    told = json.loads(said("explain", out, "--url", url, "--json").stdout)
    assert (told["key"], told["shard"]["name"]) == (key, "00000.tar")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("forget", "RUN"), "say what to forget: --url, --domain, --key, --text, --image or --from"),
        (("forget", "RUN", "--text", "a"), "--text 'a': names nothing. Give at least 3 characters"),
        (
            ("forget", "RUN", "--image", "/none.jpg"),
            "/none.jpg: No such file or directory. Give a file that can be read",
        ),
        (("forget", "/none", "--url", "a"), "/none: no run here (it has no run.json). Give the directory of a run"),
        (("forget", "RUN", "--url", "a", "--request", "Jane Smith"), "It is published: give a reference number"),
        (("rewrite", "/none"), "/none: is not finished, so there are no shards to rewrite. First: curate run."),
        (("explain", "RUN"), "give a sample's KEY, or the --url that it came from"),
        (("explain", "RUN", "abc"), "the ledger has no sample abc. A key is 32 hex digits"),
    ],
)
def test_what_cannot_be_done_is_one_clear_message(out, words, message):
    done = said(*(str(out) if word == "RUN" else word for word in words), status=1)
    assert message in done.stderr
    assert done.stderr.startswith("curate: ")


def test_a_short_secret_is_refused(out):
    done = said("forget", out, "--text", "line 1", CURATE_PII_SECRET="short", status=1)
    assert "CURATE_PII_SECRET has 5 bytes, 16 at least are needed" in done.stderr


def test_any_command_finishes_a_rewrite_that_was_stopped(finished, out, monkeypatch):
    from curate.erase import Asked, forget, rewrite, selector
    from curate.run.layout import Run

    (url, _), *_ = keys(out).items()
    run = Run.at(str(out))
    forget(run, Asked((selector("url", url),), request="R-1"), lambda _: None)
    monkeypatch.setattr(Folder, "delete", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        rewrite(run, [], lambda _: None)
    monkeypatch.undo()
    assert (out / "rewrite.json").exists()
    done = said("run", finished / "lines.yaml", "--out", out, "--local")
    assert f"{out}: a rewrite had been stopped; it is finished" in done.stderr
    assert not (out / "rewrite.json").exists()
    assert said("check", out).returncode == 0
