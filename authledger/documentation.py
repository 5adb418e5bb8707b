"""The documentation that comes along: its topics, and the text of each.

A topic is called like its file below `docs/`, without `.md`: `architecture`, `howto/add-a-service`;
a decision by its number: `decisions/0021`. The beginning of its last part is enough where it fits
no other topic: `add-a-s`. An installation has the files in `authledger/docs`, a checkout has them
in `docs/`.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Final

from ledger.errors import NotFound
from ledger.near_words import near, offer

_HERE: Final = Path(__file__).parent
_LINK: Final = re.compile(r"\[([^\]]+)\]\(([^):\s]+)\)")
"""A link within the documentation; one to elsewhere has a scheme, and so a colon."""


def topics() -> dict[str, str]:
    """Every topic and its title, the README first."""
    return {topic: _title(path) for topic, path in _files().items()}


def page(topic: str) -> str:
    """A topic's text, in Markdown; a link to another topic is the command that prints it.

    Raises NotFound, which names near topics.
    """
    name = name_of(topic)
    text = _files()[name].read_text(encoding="utf-8")
    if _files()[name].suffix != ".md":
        return text
    return _LINK.sub(lambda link: _as_command(name, link[1], link[2]), text)


@cache
def _files() -> dict[str, Path]:
    """The file of every topic."""
    installed = _HERE / "docs"
    folder = installed if installed.is_dir() else _HERE.parent / "docs"
    beside = installed if installed.is_dir() else _HERE.parent
    found = {"readme": beside / "README.md", "changelog": beside / "CHANGELOG.md"}
    for path in sorted(folder.rglob("*"), key=lambda path: (len(path.parts), path)):
        if path.is_file() and path not in found.values():
            found[_topic(path.relative_to(folder).as_posix())] = path
    return found


def _topic(path: str) -> str:
    return re.sub(r"/(\d{4})-.*", r"/\1", path.removesuffix(".md"))


def name_of(topic: str) -> str:
    """A topic's whole name. Raises NotFound, which names near topics."""
    asked = topic.removeprefix("docs/").removesuffix(".md").lower()
    if asked in _files():
        return asked
    last = {name: name.rpartition("/")[2] for name in _files()}
    found = [name for name in last if last[name] == asked]
    found = found or [name for name in last if last[name].startswith(asked)]
    if len(found) == 1:
        return found[0]
    similar = {*near(asked, last.values()), *near(asked, last)}
    meant = found or [name for name in last if {name, last[name]} & similar]
    raise NotFound(
        f"{topic!r} fits several topics." if found else f"There is no topic {topic!r}.",
        remedy=f"{offer(meant)}`authledger docs` lists all topics.",
    )


def _title(path: Path) -> str:
    """The first heading of a page; of a script, its first comment."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            return line.removeprefix("# ")
    return path.name


def _as_command(topic: str, words: str, target: str) -> str:
    """A link as it reads where there are no files: the words, and the command for the page."""
    if target.startswith("#"):
        return words
    base = "" if topic in ("readme", "changelog") else f"docs/{posixpath.dirname(topic)}"
    path = posixpath.normpath(posixpath.join(base, target.partition("#")[0]))
    name = _topic(path.removeprefix("docs/"))
    name = {"README": "readme", "CHANGELOG": "changelog"}.get(name, name)
    return f"{words} (`authledger docs{f' {name}' if name in _files() else ''}`)"
