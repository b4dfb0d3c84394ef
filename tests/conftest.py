"""What tests of every room share: a home of their own, and the real corpora where there are some."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings

from warehouse.database import Warehouse
from warehouse.home import Home

# No test measures time. A landing sees the same examples each time; at home each run looks for new ones.
settings.register_profile("fakesmrt", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("fakesmrt")

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "corpora"


TOO_LITTLE_TEXT = "There is too little text: none of it falls into"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run a test once more, in another folder, where a home came out without text in one of the small splits.

    Ids follow from paths, the splits from ids, and each temporary folder has a name of its own: of some hundred small
    homes one has such a split. Whatever else fails has failed, and this too if it happens twice.
    """
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed and TOO_LITTLE_TEXT in report.longreprtext for report in reports):
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked real corpora: folders prose/, encodings/, neardup/.

    $FAKESMRT_TEST_CORPORA names an unpacked folder, or one that holds unpack.py; without it ../shared/corpora
    is taken. Without either the test is skipped, unless CI is set and the folder is there.
    """
    named = os.environ.get("FAKESMRT_TEST_CORPORA")
    folder = Path(named) if named else BESIDE_THE_CHECKOUT
    if not folder.is_dir():
        pytest.skip("the real corpora are not here; set FAKESMRT_TEST_CORPORA")
    unpacker = folder / "unpack.py"
    if not unpacker.is_file():
        return folder
    unpacked = tmp_path_factory.getbasetemp().parent / "corpora"
    with unpacked.with_suffix(".lock").open("w") as lock:
        # Tests run in several processes, and the first unpacks for all.
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(
            [sys.executable, str(unpacker), str(unpacked), "prose", "encodings", "neardup"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return unpacked


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An initialised, empty home, which is the default one for the test."""
    root = tmp_path / "home"
    monkeypatch.setenv("FAKESMRT_HOME", str(root))
    Warehouse(Home(root)).initialise(split_salt="a salt for tests")
    return Home(root)


@pytest.fixture
def warehouse(home: Home) -> Warehouse:
    """The Training Database of `home`."""
    return Warehouse(home)


@pytest.fixture(autouse=True)
def _no_home_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test touches the checkout's data/ or the user's home."""
    if "FAKESMRT_HOME" not in os.environ:
        monkeypatch.setenv("FAKESMRT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
