"""Two documents compared: the statements that one of them has and the other lacks.

before   {"Statement": [{"Action": "s3:Get*", …}]}          removed   {"Action":"s3:Get*",…}
after    {"Statement": [{"Action": "s3:*", …}]}             added     {"Action":"s3:*",…}
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

NOT_TOLD: Final = "content not told"
ONLY_DIGEST: Final = "only the digest is known"
_STATEMENT: Final = "Statement"


class Changed(NamedTuple):
    """The statements that were added and removed, each as one line of JSON; what is not known."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    not_known: str | None = None


def compared(before: str, after: str, texts: Mapping[str, str]) -> Changed:
    """Compare two documents by their digests; an empty one was not told. `texts`: by digest."""
    if not before or not after:
        return Changed((), (), NOT_TOLD)
    if before not in texts or after not in texts:
        return Changed((), (), ONLY_DIGEST)
    old, new = (Counter(_parts(json.loads(texts[digest]))) for digest in (before, after))
    return Changed(tuple((new - old).elements()), tuple((old - new).elements()))


def _parts(document: Any) -> Iterator[str]:
    """The statements of a document, and its other members with their names."""
    members = document if isinstance(document, dict) else {_STATEMENT: document}
    for name, value in members.items():
        for part in value if isinstance(value, list) else [value]:
            line = json.dumps(part, ensure_ascii=False, separators=(",", ":"))
            yield line if name == _STATEMENT else f"{name} {line}"
