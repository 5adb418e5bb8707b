"""Target: settings and catalogues in TOML, from a working folder, the configuration and a flag."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cli.settings import LOCAL_FILE, NAMES
from ledger.catalogue.loader import BUILT_IN
from tests.fuzzing.campaign import Attempt
from tests.fuzzing.mutation import RAW, odd_text, pumped, scratched
from tests.fuzzing.oracle import run

ASKED: Final = (
    ["agency", "show", "asm_admin_trust"],
    ["authorization", "list", "--output", "json"],
    ["console", "login", "--region", "cn-north-4", "--dry-run"],
    ["catalogue", "show", "asm"],
    ["log", "checkpoint"],
)
"""Commands that write nothing, for any ledger or folder in the settings."""
_PLAIN: Final = {
    "ledger": '"ledger.db"',
    "account": '"a1"',
    "catalogue": '"more"',
    "output": '"json"',
    "checkpoint_every": '"10"',
}


@contextmanager
def target(folder: Path) -> Iterator[Attempt]:
    run(["--ledger", "ledger.db", "--account", "a1", "console", "login", "--region", "cn-north-4"])
    configured = Path(os.environ["XDG_CONFIG_HOME"], "authledger", "config.toml")
    configured.parent.mkdir(parents=True, exist_ok=True)
    Path("more").mkdir()
    sources = [path.read_text(encoding="utf-8") for path in sorted(BUILT_IN.glob("*.toml"))]

    def attempt(chance: random.Random) -> int:
        settings, catalogue = _settings(chance), _catalogue(chance.choice(sources), chance)
        for path in (configured, Path(LOCAL_FILE)):
            path.write_bytes(settings if chance.random() < 0.5 else b"")
        Path("more", "odd.toml").write_bytes(catalogue)
        flags = ["--catalogue", "more"] if chance.random() < 0.5 else []
        if chance.random() < 0.7:  # If no ledger is found, nothing else is read.
            flags += ["--ledger", "ledger.db", "--account", "a1"]
        run([*flags, *chance.choice(ASKED)])
        return len(settings) + len(catalogue)

    yield attempt


def _settings(chance: random.Random) -> bytes:
    """A few settings, known and unknown, with any values, and sometimes with altered bytes."""
    names = chance.choices([*NAMES, odd_text(chance, 64)], k=chance.randint(0, 4))
    lines = [f"{_key(name, chance)} = {_value(name, chance)}" for name in names]
    if chance.random() < 0.2:
        lines.insert(0, f"[{'.'.join('a' * chance.choice([1, 5, 3_000]))}]")
    return _encoded("\n".join(lines), chance)


def _key(name: str, chance: random.Random) -> str:
    return name if chance.random() < 0.8 else f'"{name}"'


def _value(name: str, chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.4:
        return _PLAIN.get(name, '"asm"')
    if kind < 0.7:
        return f'"{odd_text(chance)}"'
    return chance.choice(
        [*RAW.values(), "'x'", '"""\n"""', "inf", "0x1F", "2026-03-01", "9999-12-31T23:59:59-23:59", "[1, [2]]", "{a = 1}", r'"a\u0000b"', r'"\ud800"', ""]
    )  # fmt: skip


def _catalogue(text: str, chance: random.Random) -> bytes:
    """A built-in file under another code, with a line altered, removed or repeated."""
    lines = text.replace('code = "', 'code = "x', 1).splitlines()
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(lines))
        key, equals, value = lines[at].partition(" = ")
        match chance.randrange(5):
            case 0:
                lines[at] = f"{key} = {_value(key, chance)}" if equals else _value("", chance)
            case 1:
                del lines[at]
            case 2:
                lines.insert(at, lines[at])
            case 3:
                lines[at] = f"{key}{equals}{pumped(value, chance, 4_096)}"
            case _:
                lines.insert(at, f"{odd_text(chance, 64)} = {_value('', chance)}")
        lines = lines or [""]
    return _encoded("\n".join(lines), chance)


def _encoded(text: str, chance: random.Random) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    return scratched(content, chance) if chance.random() < 0.2 else content
