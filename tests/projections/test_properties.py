"""For any history: live view = rebuilt view = Python fold; an as-of answer = the fold of then."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from projections.definitions.declared import PROJECTIONS
from projections.views import Views
from tests.postgres import Server
from tests.projections import oracle
from tests.projections.worlds import (
    AGENCIES,
    BEGINNING,
    POLICIES,
    See,
    Step,
    World,
    observations,
    steps,
)

histories = st.lists(steps, min_size=1, max_size=20)


@contextmanager
def new_world(server: Server | None = None) -> Iterator[World]:
    """In a file of its own, or in a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        name = server.take() if server else ""
        made = World(server.url(name) if server else Path(folder) / "ledger.db")
        yield made
        made.ledger.close()
        if server:
            server.give_back(name)


@contextmanager
def views_of(made: World) -> Iterator[Views]:
    with Views.open(made.place, load_catalogue()) as views:
        yield views


@given(histories, st.integers(min_value=1, max_value=7))
def test_the_live_views_are_the_rebuilt_views_and_the_python_fold(
    taken: list[Step], catch_up_every: int
) -> None:
    with new_world() as made, views_of(made) as views:
        for number, step in enumerate(taken):
            made.take(step)
            if number % catch_up_every == 0:
                views.catch_up()
        views.catch_up()
        history = list(made.ledger.history())
        live = {name: views.read(name).rows for name in PROJECTIONS}
        for name in PROJECTIONS:
            assert live[name] == oracle.fold(name, history), name
        certificate = views.rebuild()
        assert certificate.equal
        assert {name: views.read(name).rows for name in PROJECTIONS} == live
        assert views.read("capabilities").rows == oracle.capabilities(history)
        assert views.read("attempts").rows == oracle.attempts(history)


@settings(max_examples=12)
@given(taken=histories, catch_up_every=st.integers(1, 7), minute=st.integers(0, 300_000))
def test_postgresql_answers_as_the_fold_does(
    server: Server, taken: list[Step], catch_up_every: int, minute: int
) -> None:
    """Live, rebuilt, as of each position and as of a time: all of the above in one."""
    with new_world(server) as made, views_of(made) as views:
        for number, step in enumerate(taken):
            made.take(step)
            if number % catch_up_every == 0:
                views.catch_up()
        views.catch_up()
        history, at = list(made.ledger.history()), BEGINNING + timedelta(minutes=minute)
        for _ in range(2):
            assert views.read("capabilities").rows == oracle.capabilities(history)
            for name in PROJECTIONS:
                assert views.read(name).rows == oracle.fold(name, history), name
                for position in oracle.boundaries(history):
                    known = history[:position]
                    answer = views.read(name, as_of=AsOf(position)).rows
                    assert answer == oracle.fold(name, known), (name, position)
                    answer = views.read(name, as_of=AsOf(position, at)).rows
                    assert _without_position_of_sums(name, answer) == _without_position_of_sums(
                        name, oracle.fold(name, known, at)
                    )
            assert views.rebuild().equal


@given(histories)
def test_as_of_a_position_is_the_fold_of_that_prefix(taken: list[Step]) -> None:
    with new_world() as made, views_of(made) as views:
        for step in taken:
            made.take(step)
        views.catch_up()
        history = list(made.ledger.history())
        for position in oracle.boundaries(history):
            for name in PROJECTIONS:
                answer = views.read(name, as_of=AsOf(position)).rows
                assert answer == oracle.fold(name, history[:position]), (name, position)


@given(histories, st.lists(st.integers(0, 300_000), min_size=1, max_size=3), st.randoms())
def test_as_of_an_effective_time_is_the_fold_of_the_events_up_to_then(
    taken: list[Step], asked: list[int], chance: random.Random
) -> None:
    with new_world() as made, views_of(made) as views:
        for step in taken:
            made.take(step)
        views.catch_up()
        history = list(made.ledger.history())
        position = chance.choice(oracle.boundaries(history))
        for at in (BEGINNING + timedelta(minutes=minute) for minute in asked):
            known = history[:position]
            shown = views.read("attempts", as_of=AsOf(position, at)).rows
            assert shown == oracle.attempts(known, at)
            for name in PROJECTIONS:
                answer = views.read(name, as_of=AsOf(position, at)).rows
                expected = oracle.fold(name, history[:position], at)
                assert _without_position_of_sums(name, answer) == _without_position_of_sums(
                    name, expected
                )


def _without_position_of_sums(name: str, rows: list[oracle.Row]) -> list[oracle.Row]:
    return [row[:-1] for row in rows] if name in oracle.SUMS else rows


@given(
    st.lists(observations, min_size=2, max_size=14, unique_by=lambda see: see.minute), st.randoms()
)
def test_the_order_of_arrival_changes_no_present_answer(
    seen: list[See], chance: random.Random
) -> None:
    shuffled = list(seen)
    chance.shuffle(shuffled)
    assert _present(seen) == _present(shuffled)


def _present(seen: list[See]) -> object:
    """All present answers without positions and surrogate ids, which are random in each ledger."""
    with new_world() as made, views_of(made) as views:
        for step in seen:
            made.take(step)
        views.catch_up()
        answers: dict[str, object] = {}
        for name in PROJECTIONS:
            answers[name] = [
                {column: row[column] for column in row.keys() - {"actor", "position"}}
                for row in views.read(name).dicts()
            ]
        answers["capabilities"] = views.read("capabilities").rows
        answers["decide"] = {
            account: (
                sorted(map(repr, known.open_permissions("asm_admin_trust"))),
                sorted(map(repr, known.open_permissions("other"))),
                sorted(str(agency.name) for agency in known.agencies()),
                [known.policy_exists(name) for name in POLICIES],
                sorted((k, v.at(known.at)) for k, v in known.state.authorizations.items()),
            )
            for account in {see.account for see in seen}
            for known in [made.ledger.account("huaweicloud", account)]
        }
        return answers


def test_decide_and_the_views_agree_on_the_account(tmp_path: Path) -> None:
    chance = random.Random(7)
    made = World(tmp_path / "ledger.db")
    for _ in range(150):
        made.take(_drawn(chance))
    with views_of(made) as views:
        views.catch_up()
        for account in ("0a1b2c3d4e5f", "5f4e3d2c1b0a"):
            state = made.ledger.account("huaweicloud", account)
            shown = {
                (row["agency"], row["region"], row["service"] or None, row["policy"] or None)
                for row in views.read("regions", where={"account": account}).dicts()
                if row["status"] == "granted"
            }
            known = {
                (key.agency, key.region, key.service, key.policy)
                for agency in AGENCIES
                for key in state.open_permissions(agency)
            }
            assert shown == known
        history = list(made.ledger.history())
        assert views.read("capabilities").rows == oracle.capabilities(history)
        for position in oracle.boundaries(history)[::10]:
            answer = views.read("capabilities", as_of=AsOf(position)).rows
            assert answer == oracle.capabilities(history[:position])
    made.ledger.close()


def _drawn(chance: random.Random) -> Step:
    return _EXAMPLES[chance.randrange(len(_EXAMPLES))]


def _examples() -> list[Step]:
    from ledger.account.agency import AgencyCreated, AgencyDeleted, AttemptAgencyDeletion
    from ledger.account.authorization import GrantAuthorization, RevokeAuthorization
    from ledger.account.console import RequestConsoleLogin
    from ledger.account.permissions import PermissionGranted, PermissionRevoked
    from tests.projections.worlds import ACCOUNTS, REGIONS, Do

    examples: list[Step] = []
    chance = random.Random(11)
    for account in ACCOUNTS:
        for region in REGIONS:
            where = {"account": account, "service": "asm", "region": region}
            examples += [Do(RequestConsoleLogin(**where)), Do(GrantAuthorization(**where))] * 2
            examples.append(Do(RevokeAuthorization(**where)))
            for service in ("cce", "elb"):
                for kind in (PermissionGranted, PermissionRevoked):
                    event = kind(agency="asm_admin_trust", region=region, service=service)
                    examples.append(See(event, chance.randrange(200_000), account))
        examples += [
            See(AgencyCreated(agency="asm_admin_trust"), chance.randrange(200_000), account),
            See(AgencyDeleted(agency="asm_admin_trust"), chance.randrange(200_000), account),
            Do(AttemptAgencyDeletion(account=account, agency="asm_admin_trust", override=True),
               reason="test"),
        ]  # fmt: skip
    return examples


_EXAMPLES = _examples()
