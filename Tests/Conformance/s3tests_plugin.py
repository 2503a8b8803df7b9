"""A pytest plugin for the suite ceph/s3-tests: each test gets a prefix of its own.

Outcomes are kept by name.

Loaded by run-s3-tests with ``-p s3tests_plugin``; the file of outcomes is named by TIDEGATE_S3TESTS_OUTCOMES.
"""

import json
import os
import random
import string

import pytest

outcomes = {}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Draws a new prefix, so that what one test leaves behind is never seen by another."""
    import s3tests.functional as suite

    if suite.prefix is not None:
        suite.prefix = "t" + "".join(random.choices(string.ascii_lowercase + string.digits, k=12)) + "-"


def pytest_runtest_logreport(report):
    name = report.nodeid.split("/")[-1]
    entry = outcomes.setdefault(name, {"outcome": "passed"})
    if report.when == "setup" and report.failed:
        entry.update(outcome="error", reason=brief(report))
    elif report.skipped:
        entry.update(outcome="skipped", reason=brief(report))
    elif report.when == "call" and report.failed:
        entry.update(outcome="failed", reason=brief(report))
    elif report.when == "teardown" and report.failed:
        entry.update(teardown=brief(report))


def brief(report):
    """The line that says why, of at most 300 characters."""
    text = str(report.longrepr)
    errors = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    return (errors[0] if errors else text.strip().splitlines()[-1] if text.strip() else "")[:300]


def pytest_sessionfinish(session):
    if os.environ.get("PYTEST_XDIST_WORKER"):
        return
    with open(os.environ["TIDEGATE_S3TESTS_OUTCOMES"], "w") as file:
        json.dump(outcomes, file, indent=1, sort_keys=True)
