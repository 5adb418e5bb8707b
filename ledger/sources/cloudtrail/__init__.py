"""AWS CloudTrail.

    arns           names in ARNs, ids and messages
    caller         who made a call
    call           one call, its role and its policy
    named          what else a call names
    roles          IAM's calls on roles
    policies       IAM's calls on policies
    delegations    a partner's requests for rights, and the answers
    organizations  services that an organization trusts
    recording      CloudTrail's own calls
    sessions       credentials and logins
    activity       the calls of any service that roles made
    outsiders      other accounts and services that a resource's policy lets in
    unmodelled     all other calls that may change rights
    translator     all of them, as the source

May import: `source` and what lies below it; no other cloud.
"""

from ledger.sources.cloudtrail.translator import SOURCE

__all__ = ["SOURCE"]
