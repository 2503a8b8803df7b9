"""A small share of each fault test; the whole ones are run by hand (see --help of each)."""

import os

import pytest

from Faults import clock, failing_calls, full_disk, kill9, large_object, lost_directories, power_cut

if os.environ.get("TIDEGATE_TEST_ENDPOINT"):
    pytest.skip("faults are made on a gateway that the test starts itself", allow_module_level=True)


@pytest.mark.timeout(900)
def test_kill_9(tmp_path):
    # Five more kills come at its end, each with the loss of the index.
    rounds = os.environ.get("TIDEGATE_KILLS", "15")
    seconds = ["--seconds", "0.2", "1.2"]
    assert kill9.main(["--rounds", rounds, *seconds, "--seed", "20", "--folder", str(tmp_path)]) == 0


@pytest.mark.timeout(900)
def test_power_cut(tmp_path):
    arguments = ["--cuts", "10", "--runs", "2", "--seconds", "1.5", "--seed", "20", "--folder", str(tmp_path)]
    assert power_cut.main([*arguments, "--lies", "index"]) == 0


@pytest.mark.timeout(900)
def test_lost_directories(tmp_path):
    assert lost_directories.main(["--seconds", "4", "--flips", "6", "--seed", "20", "--folder", str(tmp_path)]) == 0


@pytest.mark.timeout(900)
def test_large_object(tmp_path):
    assert large_object.main(["--mib", "192", "--part-mib", "8", "--ranges", "60", "--folder", str(tmp_path)]) == 0


@pytest.mark.timeout(900)
@pytest.mark.parametrize("disk", ["everything", "index"])
def test_full_disk(disk, tmp_path):
    assert full_disk.main(["--disks", disk, "--seed", "20", "--folder", str(tmp_path)]) == 0


@pytest.mark.timeout(900)
def test_failing_calls(tmp_path):
    faults = ["fdatasync", "pwrite", "pread", "short-pwrite"]
    arguments = ["--rounds", str(len(faults)), "--seconds", "0.5", "1", "--seed", "20", "--folder", str(tmp_path)]
    assert failing_calls.main([*arguments, "--faults", *faults]) == 0


@pytest.mark.timeout(900)
def test_a_clock_that_is_set(tmp_path):
    arguments = ["--rounds", "2", "--seconds", "0.5", "1", "--seed", "20", "--folder", str(tmp_path)]
    assert clock.main(arguments) == 0
