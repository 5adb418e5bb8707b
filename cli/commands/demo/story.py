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
    """A sentence, the command that shows it, and the exit code that it ends with."""

    says: str
    args: tuple[str, ...]
    ends: int = DONE
    chapter: str = ""


STORY: Final = (
    Step(
        "Alice logs in to the ASM console in Beijing. Nobody has consented there, so the dialog opens.",
        ("console", "login", *BEIJING, "--user", "alice"),
        chapter="1. The dialog",
    ),
    Step(
        "She tries to publish a gateway before she consents: it is refused and recorded.",
        ("feature", "use", "ingress-gateway", *BEIJING, *ALICE),
        ends=REFUSED,
    ),
    Step(
        "She clicks OK. One transaction records the consent, the agency, its policy, its permissions.",
        ("authorization", "grant", *BEIJING, *ALICE),
        chapter="2. Consent",
    ),
    Step("Consent is permanent: at the next login no dialog opens.",
         ("console", "login", *BEIJING, "--user", "bob")),
    Step("A second consent changes nothing, so nothing is appended.", ("authorization", "grant", *BEIJING, *ALICE)),
    Step(
        "Now the gateway can be published. The services that it used are recorded.",
        ("feature", "use", "ingress-gateway", *BEIJING, *ALICE),
        chapter="3. Use",
    ),
    Step("She enables a mesh,", ("feature", "use", "mesh", *BEIJING, *ALICE)),
    Step("and uses its metrics.", ("feature", "use", "metrics", *BEIJING, *ALICE)),
    Step(
        "A component of the mesh gets a temporary credential for a service that ASM depends on.",
        ("credential", "issue", "--for", "elb", "--component", "istio-ingressgateway", *BEIJING, *MESH),
    ),
    Step(
        "A credential for any other service is refused.",
        ("credential", "issue", "--for", "obs", "--component", "istio-ingressgateway", *BEIJING, *MESH),
        ends=REFUSED,
    ),
    Step(
        "A credential for longer than a day is refused.",
        ("credential", "issue", "--for", "elb", "--component", "istio-ingressgateway",
         "--life", "90000", *BEIJING, *MESH),
        ends=REFUSED,
    ),
    Step(
        "In Singapore no request is pending, so nobody can consent.",
        ("authorization", "grant", *SINGAPORE, *ALICE),
        ends=REFUSED,
        chapter="4. A second region",
    ),
    Step("Bob logs in there.",
         ("console", "login", *SINGAPORE, "--user", "bob")),
    Step("He does not want to decide this, and closes the dialog.", ("authorization", "decline", *SINGAPORE, "--actor", "bob")),
    Step("Alice logs in there, and the dialog opens again.",
         ("console", "login", *SINGAPORE, "--user", "alice")),
    Step("She consents. The agency is reused; only the permissions in this region are new.",
         ("authorization", "grant", *SINGAPORE, *ALICE)),
    Step("The agency, as the IAM console shows it.", ("agency", "show", "asm_admin_trust")),
    Step(
        "The manual says not to delete this policy. The ledger enforces that.",
        ("policy", "delete", POLICY, "--actor", "mallory"),
        ends=REFUSED,
        chapter="5. Protected against deletion",
    ),
    Step(
        "The agency is protected in the same way.",
        ("agency", "delete", "asm_admin_trust", "--actor", "mallory"),
        ends=REFUSED,
    ),
    Step(
        "Singapore is given up. Only its permissions end; issued credentials work until they expire.",
        ("authorization", "revoke", *SINGAPORE, *ALICE, "--reason", "leaving the region"),
        chapter="6. Revoking consent",
    ),
    Step("No feature works there any more.", ("feature", "use", "mesh", *SINGAPORE, *ALICE), ends=REFUSED),
    Step("The permissions of each agency, by region.", ("view", "regions"),
         chapter="7. The views, now and in the past"),
    Step("The features that work, by region.", ("view", "capabilities")),
    Step("The policies.", ("view", "policies")),
    Step("How often the agency was used, and how often that was refused.", ("view", "usage")),
    Step("The same view as of an earlier position, before Singapore.",
         ("view", "regions", "--as-of", "@15")),
    Step("All refused attempts, with their actors.", ("audit", "trail", "--outcome", "refused"),
         chapter="8. The audit"),
    Step("One entry, exactly as stored.", ("audit", "show", "6")),
    Step("History, event by event, with the changes.", ("audit", "replay", "--from", "2", "--to", "12")),
    Step("Why may the agency use ELB in Beijing?",
         ("audit", "why", *BEIJING, "--uses", "elb")),
    Step(
        "An administrator overrides the protection, which needs a reason.",
        ("policy", "delete", POLICY, "--override", "--reason", "the mesh is given up",
         "--actor", "root"),
        chapter="9. The end",
    ),
    Step("From then on, features that need the policy are refused.",
         ("feature", "use", "ingress-gateway", *BEIJING, *ALICE), ends=REFUSED),
    Step("The changes that the deletion made.", ("audit", "diff", "@40", "--view", "regions",
         "--view", "capabilities", "--view", "policies")),
    Step("A SELECT over the views; the database allows nothing but reading.",
         ("query", "SELECT type, count(*) AS entries FROM audit_trail GROUP BY type ORDER BY 2 DESC")),
    Step("The views can be rebuilt from position 1 at any time; the digests are equal.",
         ("projection", "rebuild")),
)  # fmt: skip
