"""Target: every command with any values for its options, and questions to the views directly.

No input may cause a bug. Positions never decrease, and at the end the ledger still verifies.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import typer

from cli.main import app
from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import InvalidInput
from ledger.verification.entries import verify_entries
from projections.definitions.audit_trail import TrailFilter
from projections.views import Views
from tests.fuzzing.campaign import Attempt
from tests.fuzzing.mutation import TIMES, odd_text, scratched
from tests.fuzzing.oracle import Fault, run
from tests.ledger.worlds import sound
from tests.sources.reading import NOW

LEDGER: Final = Path("ledger.db")
STOCK: Final = Path("stock")
"""A ledger with a key, and files of every kind. Each round starts from a copy of it."""
ROUND: Final = 60
LEFT_OUT: Final = ("demo", "log witness", "log timestamp", "projection follow", "trust")
"""Commands that play a story, use the network, do not end, or ask for trust."""
NEVER_GIVEN: Final = ("--signer-command", "--master", "--jobs", "--debug")
"""Options that run a program or many processes, or print tracebacks."""
_HERE: Final = (
    "checkpoint",
    "evidence.zip",
    "proof",
    "traces.json",
    "policy",
    ".",
    "nowhere",
    "no/where",
    "out",
    "new",
)
_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "ID": ("cn-north-4", "a1", "af-south-1", "p-0123456789abcdef0123", "command-1", "*"),
    "CODE": ("asm", "cce", "elb", "vpc", "huaweicloud", "aws"),
    "NAME": ("asm_admin_trust", "asm admin trust policy", "alice", "mesh", "regions", "agencies"),
    "NAME|ID": ("alice", "p-0123456789abcdef0123"),
    "FEATURE": ("mesh", "metrics", "ingress-gateway"),
    "WHEN": ("now", "-7d", "@3", "@0", "@999", "2026-03-01", *TIMES),
    "BEFORE": ("@1", "-7d", *TIMES),
    "AFTER": ("now", "@4", *TIMES),
    "POSITION": ("1", "3", "0", "-1", "999", str(2**62), str(2**63), "9" * 30),
    "FILE": _HERE,
    "FILES...": _HERE,
    "DIR": _HERE,
    "FOLDER": (".", "nowhere"),
    "PATH|URL": (str(LEDGER), "nowhere.db", ".", "sqlite:///copy.db", "postgresql://u:p@127.0.0.1:1/db", "policy"),
    "QUESTION": ("region_agencies region=cn-north-4", "agencies", "usage", "regions x", "agencies agency='"),
    "SQL": ("SELECT * FROM audit_trail", "SELECT 1;", "SELECT count(*) FROM events, events, events", "DROP TABLE events", "-"),
    "SECONDS": ("0.1", "1", "900", "0", "inf", "nan", "1e9"),
    "ROWS": ("1", "1000", "0", "9" * 12),
    "N": ("1", "4", "0", "5000"),
    "STATUS": ("granted", "works", "exists"),
    "TYPE": ("AuthorizationGranted", "Nothing"),
    "WORD": ("refused", "observed", "commanded"),
    "OLD NEW": ("1", "3", "0", "99"),
    "": ("table", "json", "jsonl", "csv", "1", "50", "duckdb", "x"),
}  # fmt: skip
"""Meaningful values, by the name of the value in the option's help."""
_PLACES: Final = ("FILE", "FILES...", "DIR", "FOLDER", "PATH|URL", "CHECKPOINT", "TIMESTAMP")


Commands = Mapping[tuple[str, ...], Sequence[Any]]
"""The words of each command, and its parameters."""


@contextmanager
def target(folder: Path) -> Iterator[Attempt]:
    values = _VALUES | {"VKEY": (_prepare(),)}
    commands = dict(_commands(typer.main.get_command(app)))
    tried, last = 0, 0

    def attempt(chance: random.Random) -> int:
        nonlocal tried, last
        if tried % ROUND == 0:
            _begin_again()
            last = 0
        tried += 1
        size = (
            _asked_directly(chance) if chance.random() < 0.2 else _typed(commands, values, chance)
        )
        last = _gone_on(last)
        if tried % ROUND == 0:
            _verified()
        return size

    yield attempt


def _prepare() -> str:
    """Create the stock; return the verifier key of its log."""
    at = ["--ledger", str(LEDGER), "--account", "a1"]
    run([*at, "console", "login", "--region", "cn-north-4", "--user", "alice"])
    run([*at, "authorization", "grant", "--region", "cn-north-4", "--actor", "alice"])
    key = run([*at, "log", "init", "--origin", "example.com/fuzz"]).out.strip()
    Path("checkpoint").write_text(run([*at, "log", "checkpoint"]).out, encoding="utf-8")
    run([*at, "audit", "evidence", "agencies"])
    run([*at, "log", "prove", "3", "-o", "proof"])
    Path("policy").write_text("quorum none\n", encoding="utf-8")
    Path("traces.json").write_text('[{"eventName": "ListRoles"}]', encoding="utf-8")
    shutil.copytree(os.environ["XDG_CONFIG_HOME"], "config")  # With the key and its record.
    shutil.copytree(".", f"../{STOCK}")
    shutil.move(f"../{STOCK}", STOCK)
    return key


def _begin_again() -> None:
    for path in [each for each in Path().iterdir() if each != STOCK]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(STOCK, ".", dirs_exist_ok=True)
    shutil.rmtree(os.environ["XDG_CONFIG_HOME"], ignore_errors=True)
    shutil.move("config", os.environ["XDG_CONFIG_HOME"])


def _commands(
    group: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Sequence[Any]]]:
    below = getattr(group, "commands", None)
    if not below:
        if " ".join(path) not in LEFT_OUT:
            yield path, [each for each in group.params if not set(each.opts) & set(NEVER_GIVEN)]
        return
    for name, each in below.items():
        yield from _commands(each, (*path, name))


def _typed(commands: Commands, values: Mapping[str, Sequence[str]], chance: random.Random) -> int:
    """A command line with random options and values."""
    path = chance.choice([*commands])
    words = [*path]
    for parameter in commands[path]:
        if parameter.name != "help" and chance.random() < _likely(parameter):
            words += _given(parameter, values, chance)
    if chance.random() < 0.3:
        file = Path(chance.choice(_HERE[:5]))
        if file.is_file():
            file.write_bytes(scratched(file.read_bytes(), chance))
    stdin = scratched(b"SELECT region FROM region_agencies", chance)
    run(["--ledger", str(LEDGER), "--account", "a1", *words], stdin)
    return len(" ".join(words))


def _likely(parameter: Any) -> float:
    if parameter.param_type_name == "argument":
        return 0.95
    if set(parameter.opts) & {"--region", "--for", "--component", "--key", "--from", "--to"}:
        return 0.8  # Most of these are required.
    return 0.1 if set(parameter.opts) & {"--ledger", "--catalogue", "--as-of"} else 0.3


def _given(parameter: Any, values: Mapping[str, Sequence[str]], chance: random.Random) -> list[str]:
    """An option and its value, or an argument."""
    name = parameter.opts[:1] if parameter.param_type_name == "option" else []
    if getattr(parameter, "is_flag", False):
        return list(name)
    called = str(parameter.metavar or "")
    known = values.get(called, _VALUES["NAME"])
    given = [
        chance.choice(known) if chance.random() < 0.85 else odd_text(chance)
        for _ in range(abs(parameter.nargs))
    ]
    if called in _PLACES:
        given = [each if each in known else _within_reach(each) for each in given]
    return [*name, *given]


def _within_reach(place: str) -> str:
    """A path inside the working folder, because commands write to the given path."""
    return place.replace("/", "_").replace("~", "_").replace("..", "_")


def _asked_directly(chance: random.Random) -> int:
    """A condition, a filter or SQL through the Python API. Only InvalidInput may be raised."""
    text = odd_text(chance)
    with Views.open(LEDGER, load_catalogue()) as views:
        views.catch_up()
        asks: tuple[Callable[[], object], ...] = (
            lambda: views.read(chance.choice(Views.names()), where={"region": text}),
            lambda: views.trail(TrailFilter(actor=text)),
            lambda: views.trail(TrailFilter(agency=text, event=text)),
            lambda: views.query(f"SELECT {text}", time_limit_s=0.5),
            lambda: views.resolve(text, None, NOW),
        )
        with suppress(InvalidInput):
            chance.choice(asks)()
    return len(text)


def _gone_on(last: int) -> int:
    """The last position. Raises Fault if it decreased."""
    with Ledger(LEDGER) as ledger:
        position = ledger.last_position()
    if position < last:
        raise Fault(f"the last position decreased from {last} to {position}")
    return position


def _verified() -> None:
    sound(LEDGER)
    done = verify_entries(LEDGER, jobs=1)
    if done.count:
        raise Fault(f"the ledger does not verify: {[str(each) for each in done.findings]}")
