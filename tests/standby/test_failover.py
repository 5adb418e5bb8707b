"""The primary is lost: the standby has all acknowledged commands, and writers continue there."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.log.signer import LogSigner
from ledger.verification.verdict import pinned, verify
from projections.views import Views
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import ORIGIN, consent, texts
from tests.standby.load import writers
from tests.standby.pair import Pair


def signed(url: str, keys: Path) -> LogSigner:
    """Create a ledger with a signed log."""
    with Ledger(url, log_keys=keys) as ledger:
        consent(ledger, BEIJING)
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(ledger.location)
        ledger.sign(signer)
        return signer


def test_no_acknowledged_command_is_lost_with_a_killed_primary(
    pair: Pair, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = pair.network_url(database)
    signer = signed(url, tmp_path)
    with Views.open(url, load_catalogue()) as views:
        views.catch_up()
    with writers(url, tmp_path) as some:
        some.wait_for_more(20)
        with Ledger(url) as ledger:
            pin = ledger.entries.checkpoint()
        assert pin is not None
        began = time.monotonic()
        pair.kill(pair.primary)
        pair.promote()
        promoted = time.monotonic()
        some.wait_for_more(1)
        continued = time.monotonic()
        some.wait_for_more(20)
    with capsys.disabled():
        sys.stdout.write(
            f"\nfailover: promoted {promoted - began:.2f} s after the kill, and all 4 writers had "
            f"another command acknowledged {continued - promoted:.2f} s after that\n"
        )
    assert continued - promoted < 15, "the clients continue within seconds"
    new = pair.url_of(pair.primary, database)
    some.kept(new)
    with Ledger(new) as ledger:
        note, last = ledger.entries.checkpoint(), ledger.last_position()
        history = texts(ledger)
    pins = {"pin": pinned(pin.encode(), "pin", [signer.key.verifier])}
    assert pins["pin"].size < last
    record = signer.key.last()
    verdict = verify(new, note, [signer.key.verifier], pins=pins, record=record)
    assert verdict.verified, verdict.verification.findings
    with Views.open(url, load_catalogue()) as views:
        assert views.catch_up() == last
        assert views.rebuild().equal

    said = pair.run("rejoin")
    assert f"{pair.standby} follows {pair.primary}" in said
    pair.replayed()
    with Ledger(pair.url_of(pair.standby, database)) as ledger:
        assert texts(ledger) == history
    with Ledger(url) as ledger:
        assert ledger.execute(login("after")).entries


def test_a_standby_is_not_promoted_while_the_primary_runs(pair: Pair) -> None:
    done = pair.tried("promote")
    assert done.returncode == 1
    assert f"{pair.primary} is running: stop it first" in done.stderr


@pytest.mark.parametrize("verb", ["status", "promote", "rejoin", "release", "stop", "remove"])
def test_a_folder_without_a_pair_is_refused_and_left_unchanged(
    pair: Pair, tmp_path: Path, verb: str
) -> None:
    done = pair.tried_elsewhere(verb, tmp_path)
    assert done.returncode == 1
    assert "does not contain a pair" in done.stderr
    assert not done.stdout
    assert tmp_path.exists()


def test_a_new_pair_is_not_created_in_a_folder_that_is_not_empty(
    pair: Pair, tmp_path: Path
) -> None:
    (tmp_path / "kept").touch()
    before = tmp_path.stat()
    done = pair.tried_elsewhere("start", tmp_path)
    assert done.returncode == 1
    assert "is not empty and does not contain a pair" in done.stderr
    after = tmp_path.stat()
    assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
