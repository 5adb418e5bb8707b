"""The story that `authledger demo` plays: a mesh in two regions, consent, and what may go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.exits import DONE, REFUSED

ACCOUNT: Final = "0a1b2c3d4e5f"
BEIJING: Final = ("--region", "cn-north-4")
SINGAPORE: Final = ("--region", "ap-southeast-3")
ALICE: Final = ("--actor", "alice")
MESH: Final = ("--actor", "mesh-controller")
POLICY: Final = "asm admin trust policy"


@dataclass(frozen=True, slots=True)
class Step:
    """A sentence, the command that shows it, and how that ends."""

    says: str
    args: tuple[str, ...]
    ends: int = DONE
    chapter: str = ""


STORY: Final = (
    Step(
        "Alice opens the ASM console in Beijing. Nobody has consented there: the dialog opens.",
        ("console", "login", *BEIJING, "--user", "alice"),
        chapter="1. The dialog",
    ),
    Step(
        "She tries to publish a gateway before clicking OK: refused, and on record.",
        ("feature", "use", "ingress-gateway", *BEIJING, *ALICE),
        ends=REFUSED,
    ),
    Step(
        "She clicks OK. One transaction: the consent, the agency, its policy, its permissions.",
        ("authorization", "grant", *BEIJING, *ALICE),
        chapter="2. Consent",
    ),
    Step("Consent is permanent; the next login opens no dialog.",
         ("console", "login", *BEIJING, "--user", "bob")),
    Step("Consenting twice is one fact.", ("authorization", "grant", *BEIJING, *ALICE)),
    Step(
        "Now the gateway can be published, and it is recorded which services were used for it.",
        ("feature", "use", "ingress-gateway", *BEIJING, *ALICE),
        chapter="3. Use",
    ),
    Step("A mesh,", ("feature", "use", "mesh", *BEIJING, *ALICE)),
    Step("and its metrics.", ("feature", "use", "metrics", *BEIJING, *ALICE)),
    Step(
        "A component of the mesh gets a temporary credential for a service ASM depends on.",
        ("credential", "issue", "--for", "elb", "--component", "istio-ingressgateway", *BEIJING, *MESH),
    ),
    Step(
        "For any other service: refused.",
        ("credential", "issue", "--for", "obs", "--component", "istio-ingressgateway", *BEIJING, *MESH),
        ends=REFUSED,
    ),
    Step(
        "For longer than a day: refused.",
        ("credential", "issue", "--for", "elb", "--component", "istio-ingressgateway",
         "--life", "90000", *BEIJING, *MESH),
        ends=REFUSED,
    ),
    Step(
        "In Singapore nobody was asked, so nobody can consent.",
        ("authorization", "grant", *SINGAPORE, *ALICE),
        ends=REFUSED,
        chapter="4. A second region",
    ),
    Step("Bob logs in there.",
         ("console", "login", *SINGAPORE, "--user", "bob")),
    Step("He is not the one to decide, and closes the dialog.", ("authorization", "decline", *SINGAPORE, "--actor", "bob")),
    Step("Alice logs in there: the dialog opens again.",
         ("console", "login", *SINGAPORE, "--user", "alice")),
    Step("She consents. The agency is reused; only the permissions of this region are new.",
         ("authorization", "grant", *SINGAPORE, *ALICE)),
    Step("What the IAM console shows of the agency.", ("agency", "show", "asm_admin_trust")),
    Step(
        "The manual says: do not delete this policy. Here that is more than a sentence.",
        ("policy", "delete", POLICY, "--actor", "mallory"),
        ends=REFUSED,
        chapter="5. What must not be deleted",
    ),
    Step(
        "The same for the agency.",
        ("agency", "delete", "asm_admin_trust", "--actor", "mallory"),
        ends=REFUSED,
    ),
    Step(
        "Singapore is given up: just its permissions end, and credentials run out.",
        ("authorization", "revoke", *SINGAPORE, *ALICE, "--reason", "leaving the region"),
        chapter="6. Taking consent back",
    ),
    Step("Nothing works there any more.", ("feature", "use", "mesh", *SINGAPORE, *ALICE), ends=REFUSED),
    Step("Which agency may do what in which region.", ("view", "regions"),
         chapter="7. The views, now and then"),
    Step("What works where.", ("view", "capabilities")),
    Step("The policies.", ("view", "policies")),
    Step("How often it was used, and refused.", ("view", "usage")),
    Step("The same question at an earlier position: before Singapore.",
         ("view", "regions", "--as-of", "@15")),
    Step("What was refused, and to whom?", ("audit", "trail", "--outcome", "refused"),
         chapter="8. The audit"),
    Step("One entry, exactly as stored.", ("audit", "show", "6")),
    Step("History told event by event.", ("audit", "replay", "--from", "2", "--to", "12")),
    Step("Why may the agency use ELB in Beijing?",
         ("audit", "why", *BEIJING, "--uses", "elb")),
    Step(
        "An administrator overrides the protection, and has to say why.",
        ("policy", "delete", POLICY, "--override", "--reason", "the mesh is given up",
         "--actor", "root"),
        chapter="9. The end",
    ),
    Step("What needs it is refused from then on.",
         ("feature", "use", "ingress-gateway", *BEIJING, *ALICE), ends=REFUSED),
    Step("What the deletion changed.", ("audit", "diff", "@40", "--view", "regions",
         "--view", "capabilities", "--view", "policies")),
    Step("Free SQL, read-only in the engine itself.",
         ("query", "SELECT type, count(*) AS entries FROM audit_trail GROUP BY type ORDER BY 2 DESC")),
    Step("The views are disposable: rebuilt from position 1, they come out equal.",
         ("projection", "rebuild")),
)  # fmt: skip
