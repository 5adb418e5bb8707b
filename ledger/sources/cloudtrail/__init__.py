"""AWS CloudTrail.

    arns      names in ARNs, ids and messages     roles       IAM's calls on roles
    caller    who made a call                     policies    IAM's calls on policies
    call      one call, its role and its policy   sessions    credentials and logins
                                                  translator  all of them, as the source

May import: `source` and what lies below it; no other cloud.
"""

from ledger.sources.cloudtrail.translator import SOURCE

__all__ = ["SOURCE"]
