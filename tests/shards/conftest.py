"""Small shards on a disk, in memory and on a real S3 server."""

import json

import boto3
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from curate.shards import Manifest, write_shard
from curate.storage import Folder


def make_samples(count, start=0):
    """Return samples of three members each, of sizes around the tar's block."""
    return [
        (
            f"{i:032x}",
            [
                ("jpg", bytes([i % 256]) * (505 + i)),
                ("json", json.dumps({"caption": f"Straße {i}", "n": i}, ensure_ascii=False).encode()),
                ("txt", f"Straße {i}".encode()),
            ],
        )
        for i in range(start, start + count)
    ]


def write_run(url, counts=(5, 3)):
    """Write a run of shards with `counts` samples each and return its folder."""
    run, entries = Folder(str(url)), []
    for number, count in enumerate(counts):
        samples = make_samples(count, sum(counts[:number]))
        entries.append(write_shard(run / "shards", f"{number:05d}.tar", samples))
    Manifest("test", tuple(entries)).save(run)
    return run


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run")


@pytest.fixture(scope="session")
def s3_server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server, monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    boto3.client("s3").create_bucket(Bucket="shards")
    yield "s3://shards"
    s3fs.S3FileSystem.clear_instance_cache()
