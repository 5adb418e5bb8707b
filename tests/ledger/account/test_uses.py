"""A use proves that its agency existed; decisions and the fold of all facts agree about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from ledger.account.agency import AttemptAgencyDeletion, CreateAgency
from ledger.account.policy import AttemptPolicyDeletion
from ledger.account.questions import Account
from ledger.account.snapshot import from_text, to_text
from ledger.account.state import State
from ledger.account.truth.cells import Cells
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from ledger.account.truth.spans import Span
from ledger.account.usage import UseFeature
from ledger.account.uses import Uses, agencies_named, inform, uses_of
from ledger.catalogue import load_catalogue
from ledger.errors import InvalidInput
from ledger.messages import Command
from tests.ledger.account.truth.cloud import Cloud, arrive
from tests.ledger.account.truth.histories import at, fact
from tests.ledger.scenario import ACCOUNT, AGENCY, ASM, BEIJING, login

NAME = "ci"
SEEDS = 500


class Told:
    """An account and the uses of its agencies, in streams of their own."""

    def __init__(self, rules: Rules) -> None:
        self.state = State(rules.provider, ACCOUNT)
        self._uses: dict[str, Uses] = {}

    def learn(self, one: Fact) -> None:
        if one.call == "evidence":
            handle = one.name or one.id or ""
            known = self._uses.setdefault(handle, Uses(self.state.provider, ACCOUNT, handle))
            known.learn(known.version + 1, one)
            return
        version = self.state.version + 1
        self.state.happened(version, one.at, one.origin)
        self.state.learn([one._replace(position=version)])

    def _read(self, handle: str) -> Uses:
        return self._uses.get(handle) or Uses(self.state.provider, ACCOUNT, handle)

    def account(self) -> Account:
        """The account as a decision that names the agency knows it."""
        uses = uses_of(self.state, NAME, self._read)
        return Account(self.state, self.state.next_instant(at(0), inform(self.state, uses)))


def stated(*facts: Fact, rules: Rules = HUAWEICLOUD) -> Account:
    stated = Told(rules)
    for one in facts:
        stated.learn(one)
    return stated.account()


def drawn(chance: Random, rules: Rules) -> list[Fact]:
    """A history of the agency `ci`, of which some facts were lost; each use is a trace alone."""
    cloud = Cloud(chance, rules, chance.randint(2, 9), ids=chance.random() < 0.8)
    kept = [one for one in cloud.facts if chance.random() < 0.7]
    facts = [_used(one) if _is_use(one, chance) else one for one in kept]
    return arrive(facts, chance)


def _is_use(one: Fact, chance: Random) -> bool:
    return one.call == "evidence" or (one.policy is not None and chance.random() < 0.5)


def _used(one: Fact) -> Fact:
    return one._replace(call="evidence", policy=None, region=None, trace=None)


def statuses(spans: Sequence[Span]) -> set[str]:
    return {span.status for span in spans if span.subject == "agency"}


UNLIKE = {"aws": (9651,), "huaweicloud": (618, 1106)}
"""Seeds of histories about which decisions and the fold of all facts once disagreed."""


@pytest.mark.parametrize("rules", [AWS, HUAWEICLOUD], ids=lambda rules: rules.provider)
def test_a_decision_that_names_an_agency_agrees_with_the_fold_of_all_facts(rules: Rules) -> None:
    seen: Counter[str] = Counter()
    for seed in (*range(SEEDS), *UNLIKE[rules.provider]):
        seen.update(agreed(seed, rules))
    assert min(seen[status] for status in ("exists", "deleted", "not known")) > SEEDS // 50


def agreed(seed: int, rules: Rules) -> set[str]:
    """The statuses of the agencies of a drawn history, once decisions agree with them."""
    chance = Random(seed)
    known = Told(rules)
    facts = drawn(chance, rules)
    for one in facts:
        known.learn(one)
        if chance.random() < 0.1:
            known.account()  # A question before the last news changes no later answer.
    account = known.account()
    spans = [one for one in derive(facts, rules) if one.until_at is None and one.name == NAME]
    agency = account.agency(NAME)
    assert account.agency_exists(NAME) == ("exists" in statuses(spans)), seed
    may_exist = bool({"exists", "not known"} & statuses(spans))
    assert (agency is not None and agency.may_exist) == may_exist, seed
    granted = [one for one in spans if (one.subject, one.status) == ("permission", "granted")]
    assert len(account.open_permissions(NAME)) == len(granted), seed
    return statuses(spans)


def test_a_use_after_the_last_deletion_proves_that_the_agency_was_made_again() -> None:
    assert stated(fact("C", 1), fact("D", 3), fact("E", 5)).agency_exists(NAME)
    assert not stated(fact("C", 1), fact("E", 2), fact("D", 3)).agency_exists(NAME)
    assert not stated(fact("E", 5), fact("D", 9)).agency_exists(NAME)


def test_the_use_before_the_latest_tells_the_order_of_a_deletion_and_a_creation() -> None:
    second = (fact("D", 5), fact("E", 5), fact("C", 5, id="ID2"))
    assert not stated(*second).agency_exists(NAME), "which came first is not known"
    assert stated(fact("E", 3), *second).agency_exists(NAME)


def test_a_use_of_another_id_proves_that_the_permissions_of_the_former_agency_ended() -> None:
    former = (fact("C", 1, id="ID1"), fact("A", 2))
    assert stated(*former, fact("E", 4, id="ID1", name="ci")).open_permissions(NAME)
    assert not stated(*former, fact("E", 4, id="ID2", name="ci")).open_permissions(NAME)


def test_a_use_under_the_id_is_a_use_of_the_agency_with_that_id() -> None:
    deleted = (fact("C", 1, id="ID1"), fact("D", 3))
    lost = fact("T", 4, id="ID2", name="ci", trustee="service:cbr")
    assert stated(*deleted, lost, fact("D", 5), fact("E", 7, id="ID2")).agency_exists(NAME) is False
    assert stated(*deleted, lost, fact("E", 7, id="ID2")).agency_exists(NAME)


def test_an_id_that_only_a_use_names_leads_to_its_other_uses() -> None:
    account = stated(fact("E", 4, id="ID1", name="ci"), fact("E", 2, id="ID1"))
    agency = account.agency(NAME)
    assert agency is not None
    assert (agency.status, agency.since) == ("exists", at(2))


def test_a_fact_that_proves_nothing_leads_to_the_uses_under_the_id_that_it_tells() -> None:
    named = fact("F", 3, id="ID1", name="ci")
    assert stated(named, fact("E", 2, id="ID1")).agency_exists(NAME)


def test_a_use_that_is_shown_may_settle_what_another_use_leaves_open() -> None:
    """Which of two ids came first within one second follows from the use after it."""
    second = (fact("E", 1, id="ID1", name="ci"), fact("E", 1, id="ID2", name="ci"))
    used = stated(fact("E", 0), *second, fact("E", 2, id="ID1", name="ci"))
    assert used.agency_exists(NAME)


def test_a_use_under_a_former_name_proves_another_agency() -> None:
    renamed = fact("C", 1, id="ID1"), fact("T", 3, id="ID1", name="new", trustee="service:cbr")
    assert not stated(*renamed).agency_exists(NAME)
    assert stated(*renamed, fact("E", 5)).agency_exists(NAME)


def test_a_command_takes_effect_after_a_use_whose_clock_was_ahead() -> None:
    assert stated(fact("C", 1), fact("E", 9)).at > at(9)
    commanded = fact("E", 9, origin="commanded")
    assert stated(fact("C", 1), commanded).at == at(9)


def test_a_use_is_learned_once_however_often_the_account_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It contradicts the deletion of its id: it would cost another unseen fact each time."""
    known, learned = Told(AWS), list[Fact]()
    for one in (fact("C", 0, id="ID1"), fact("D", 1), fact("E", 2, id="ID1", name="ci")):
        known.learn(one)
    known.account()
    monkeypatch.setattr(Cells, "learn", lambda _, facts: learned.extend(facts))
    known.account()
    assert learned == []


def test_the_account_itself_has_no_uses() -> None:
    account = stated(fact("D", 3), fact("E", 5))
    assert [one.call for one in account.state.facts] == ["deleted"]
    assert "evidence" not in to_text(account.state)


def test_a_snapshot_has_the_last_uses_of_each_id() -> None:
    uses = Uses("aws", ACCOUNT, NAME)
    for version, seconds in enumerate((3, 9, 0, 9, *range(1, 10)), start=1):
        uses.learn(version, fact("E", seconds))
        uses.learn(version, fact("E", seconds, id="ID1", name="ci"))
    uses.learn(14, None)
    assert {name: [use.at for use in kept] for name, kept in uses.latest.items()} == {
        "": [at(seconds) for seconds in (0, *range(3, 10))],
        "ID1": [at(seconds) for seconds in (0, *range(3, 10))],
    }
    read = from_text(to_text(uses), Uses)
    assert read == uses
    assert read.version == 14
    assert read.stream == f"usage:aws:{ACCOUNT}:ci"


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (CreateAgency(account=ACCOUNT, agency="x"), ("x",)),
        (AttemptAgencyDeletion(account=ACCOUNT, agency="x"), ("x",)),
        (UseFeature(account=ACCOUNT, service=ASM, region=BEIJING, feature="mesh"), (AGENCY,)),
        (login(BEIJING), (AGENCY,)),
        (AttemptPolicyDeletion(account=ACCOUNT, policy="p"), ()),
    ],
)
def test_a_command_names_its_agency_or_those_of_its_service(
    command: Command, named: tuple[str, ...]
) -> None:
    assert agencies_named(command, load_catalogue()) == named


def test_a_service_that_the_catalogue_lacks_has_no_agencies_to_name() -> None:
    unknown = UseFeature(account=ACCOUNT, service="dli", region=BEIJING, feature="mesh")
    with pytest.raises(InvalidInput, match="no service 'dli'"):
        agencies_named(unknown, load_catalogue())
