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
BEFORE_NOT_KNOWN: Final = "what was before is not known"
_STATEMENT: Final = "Statement"


class Changed(NamedTuple):
    """The statements that were added and removed, each as one line of JSON; what is not known.

    `says` are those of the document after the change, if what was before is not known: some of
    them may not be new.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    not_known: str | None = None


def compared(before: str | None, after: str | None, texts: Mapping[str, str]) -> Changed:
    """Compare two documents by their digests. `texts`: by digest.

    An empty digest was not told. None: there is none yet, or none any more.
    """
    if before == "" and after:
        return Changed(
            says=_lines(after, texts) or (), not_known=_before_is_not_known(after, texts)
        )
    if before == "" or after == "":
        return Changed(not_known=NOT_TOLD)
    old, new = _lines(before, texts), _lines(after, texts)
    if old is None or new is None:
        return Changed(says=new if before and new else (), not_known=ONLY_DIGEST)
    added, removed = Counter(new) - Counter(old), Counter(old) - Counter(new)
    return Changed(tuple(added.elements()), tuple(removed.elements()))


def _before_is_not_known(after: str, texts: Mapping[str, str]) -> str:
    return BEFORE_NOT_KNOWN if after in texts else f"{BEFORE_NOT_KNOWN}; {ONLY_DIGEST}"


def _lines(digest: str | None, texts: Mapping[str, str]) -> tuple[str, ...] | None:
    """The parts of a document; None if its text is not kept."""
    if digest is None:
        return ()
    return tuple(_parts(json.loads(texts[digest]))) if digest in texts else None


def _parts(document: Any) -> Iterator[str]:
    """The statements of a document, and its other members with their names."""
    members = document if isinstance(document, dict) else {_STATEMENT: document}
    for name, value in members.items():
        for part in value if isinstance(value, list) else [value]:
            line = json.dumps(part, ensure_ascii=False, separators=(",", ":"))
            yield line if name == _STATEMENT else f"{name} {line}"
