"""restic: a repository from init to restore, every byte read back."""

import pytest

from Harness.command import Command, find
from Harness.samples import MIB, data, read_tree, tree


@pytest.fixture
def restic(server, bucket, tmp_path):
    environment = {
        "RESTIC_REPOSITORY": f"s3:{server.url}/{bucket}/a repository",
        "RESTIC_PASSWORD": "test",
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_DEFAULT_REGION": server.region,
        "RESTIC_CACHE_DIR": str(tmp_path / "cache"),
    }
    fixed = ["--cacert", server.ca] if server.ca else []
    return Command(find("restic"), *fixed, environment=environment, folder=tmp_path)


def test_backup_check_restore(restic, tmp_path):
    restic("init")
    tree(tmp_path / "home", 80)
    (tmp_path / "home/large").write_bytes(data(20 * MIB))
    restic("backup", "home")
    (tmp_path / "home/large").write_bytes(data(20 * MIB, 2))
    (tmp_path / "home/new ü+").write_bytes(b"new")
    restic("backup", "home")
    assert "no errors were found" in restic("check", "--read-data").stdout
    restic("restore", "latest", "--target", "restored")
    assert read_tree(tmp_path / "restored/home") == read_tree(tmp_path / "home")
    restic("forget", "--keep-last", "1", "--prune")
    assert "no errors were found" in restic("check", "--read-data").stdout
    restic("restore", "latest", "--target", "again")
    assert read_tree(tmp_path / "again/home") == read_tree(tmp_path / "home")


def test_error_exits(restic):
    assert "unable to open config file" in restic("snapshots", expect=1).stderr
    restic("init")
    restic("init", expect=1)
    restic.environment["RESTIC_PASSWORD"] = "wrong"
    assert "wrong password" in restic("snapshots", expect=1).stderr
