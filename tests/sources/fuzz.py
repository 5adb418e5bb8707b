"""Reads odd traces by both readers: `python -m tests.sources.fuzz [INPUTS] [SEED]`.

Each input is a file: an odd record among good ones, in an array, an envelope, in lines, each record
or all of them wrapped, plain or gzip. A field of the odd record has a shape that nobody expects, or
its text is damaged. Nothing may crash, every good neighbour is read, and every
record is accounted for.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.sources import SOURCES, ImportReport, read_traces
from tests.sources.cloudtrail.making import call
from tests.sources.cts.making import AGENCY, ON_PROJECT, POLICY, PROJECT, trace
from tests.sources.reading import FIXTURES, NOW
from tests.sources.test_wrappings import AWS, HUAWEI

Record = dict[str, Any]

ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 7, 1.5, 1e300, 2**70, float("nan"), "", " ", "null", "x", "é名", "\x1b[31m",
    "\ud800", "a\nb", "x" * 3_000, "{}", "[]", '{"a":', '{"role":{"roleName":"x"}}', "[" * 50,
    [], [None], ["x"], [[]], [{}], {}, {"omitted": True}, {"": ""}, {"name": []}, {"a": {"b": {"c": {}}}},
    "arn:aws:iam::111122223333:role/x", "arn:aws:iam::*:role/", "AROA", "2026-01-01", 1770100000000,
    "2026/01/01 00:00:00 GMT+99:99", "9" * 19, "iam.amazonaws.com", "0" * 32,
)  # fmt: skip
_WRAPS: Final = {"cloudtrail": tuple(AWS.values()), "cts": tuple(HUAWEI.values())}
_ENVELOPES: Final = {"cloudtrail": "Records", "cts": "traces"}
_DAMAGE: Final = ("", '"', "{", "}", "[", "]", ",", ":", "\\", "x", "\n", "\x00", "é")


def _templates(kind: str) -> list[Record]:
    """Records of every call that has a translator, as far as we have some; those are made odd."""
    document = json.loads((FIXTURES / f"{kind}.json").read_text())
    records = document if isinstance(document, list) else document[_ENVELOPES[kind]]
    names = SOURCES[kind].translators
    if kind == "cloudtrail":
        more = [
            call(name.partition(":")[2], roleName="r", policyArn="arn:aws:iam::aws:policy/P")
            | {"eventSource": f"{name.partition(':')[0]}.amazonaws.com"}
            for name in names
        ]
    else:
        shapes = (AGENCY, POLICY, PROJECT, ON_PROJECT)
        more = [
            trace(name.partition(":")[2], service_type=name.partition(":")[0].upper(), **shape)
            for name in names
            for shape in shapes
        ]
    return [*records, *more]


TEMPLATES: Final = {kind: _templates(kind) for kind in SOURCES}


@dataclass(slots=True)
class Input:
    """A file's bytes, the ids of its good records, and how many records it has at least."""

    kind: str
    data: bytes
    good: list[str]
    records: int


@dataclass(slots=True)
class Result:
    """The faults of a run. Each is the seed of an input, and what went wrong."""

    inputs: int = 0
    crashes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unaccounted: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [*self.crashes, *self.lost, *self.unaccounted]


def made(seed: int) -> Input:
    """The input of a seed."""
    chance = random.Random(seed)
    kind = chance.choice(("cloudtrail", "cts"))
    count = chance.randrange(2, 5)
    good = [_good(kind, number) for number in range(count)]
    values: list[Any] = [*good]
    place = chance.randrange(count + 1)
    values.insert(place, _odd(kind, chance))
    wrap = chance.choice(_WRAPS[kind]) if chance.random() < 0.3 else _as_it_is
    texts = [json.dumps(wrap(each)) for each in values]
    shape = chance.choice((_array, _envelope, _lines, _pretty, _all_wrapped))
    is_object = texts[place].startswith("{")  # A text that is cut may swallow what follows it.
    if is_object and shape in (_array, _lines, _envelope) and chance.random() < 0.3:
        texts[place] = _damaged(texts[place], chance)
    data = shape(kind, texts, chance).encode(errors="surrogatepass")
    ids = [each["eventID" if kind == "cloudtrail" else "trace_id"] for each in good]
    return Input(kind, gzip.compress(data, 1) if chance.random() < 0.1 else data, ids, count)


def _good(kind: str, number: int) -> Record:
    if kind == "cloudtrail":
        return call("DeleteRole", roleName="worker") | {"eventID": f"good-{number}"}
    return trace("deleteAgency", **AGENCY) | {"trace_id": f"good-{number}"}


def _odd(kind: str, chance: random.Random) -> Any:
    record = copy.deepcopy(chance.choice(TEMPLATES[kind]))
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        record = _with_odd_field(record, chance)
    return chance.choice(ODD) if chance.random() < 0.02 else record


def _with_odd_field(record: Any, chance: random.Random) -> Any:
    """Replace, remove or add a field, at any depth."""
    around = record
    while isinstance(around, dict) and around:
        key = chance.choice(list(around))
        inner = around[key]
        if isinstance(inner, dict) and inner and chance.random() < 0.7:
            around = inner
            continue
        fate = chance.random()
        if fate < 0.8:
            around[key] = copy.deepcopy(chance.choice(ODD))
        elif fate < 0.9:
            del around[key]
        else:
            around[f"{key}x"] = around.pop(key)
        break
    return record


def _as_it_is(value: Any) -> Any:
    return value


def _damaged(text: str, chance: random.Random) -> str:
    at = chance.choice((*_ends_of(text), chance.randrange(len(text))))
    if chance.random() < 0.2:
        return text[:at].rstrip(": ")  # Behind a colon, the next line would be the key's value.
    return text[:at] + chance.choice(_DAMAGE) + text[at + chance.randrange(2) :]


def _ends_of(text: str) -> list[int]:
    """The first and the last brackets and separators: damage there reaches around the record."""
    marks = [each.start() for each in re.finditer(r'[]{}[,:"]', text)]
    return [*marks[:4], *marks[-4:]]


def _array(_: str, texts: Sequence[str], chance: random.Random) -> str:
    separator = chance.choice((",", ", ", ",\n"))
    return f"[{separator.join(texts)}]"


def _envelope(kind: str, texts: Sequence[str], chance: random.Random) -> str:
    return f'{{"{_ENVELOPES[kind]}":{_array(kind, texts, chance)}}}'


def _lines(_: str, texts: Sequence[str], chance: random.Random) -> str:
    return chance.choice(("\n", "\r\n", "\n\n")).join(text.replace("\n", " ") for text in texts)


def _pretty(_: str, texts: Sequence[str], __: random.Random) -> str:
    return json.dumps([json.loads(text) for text in texts], indent=2)


def _all_wrapped(kind: str, texts: Sequence[str], chance: random.Random) -> str:
    values = [json.loads(text) for text in texts]
    whole = chance.choice((values, {_ENVELOPES[kind]: values}))
    inside: Callable[[Any], Any] = chance.choice(_WRAPS[kind])
    return json.dumps(inside(whole))


def check(seed: int, path: Path, result: Result) -> None:
    """Read the input of a seed from a file at `path`; note what went wrong."""
    given = made(seed)
    path.write_bytes(given.data)
    result.inputs += 1
    report = ImportReport()
    try:
        read = read_traces(SOURCES[given.kind], [path], report, now=NOW)
        found = [each for each in read if not each.sums_up]
    except Exception as error:  # noqa: BLE001  Whatever it is, it is a fault.
        result.crashes.append(f"seed {seed}: {error!r}")
        return
    ids = {each.source.trace_id for each in found}
    if lost := [each for each in given.good if each not in ids]:
        result.lost.append(f"seed {seed}: {', '.join(lost)}")
    is_counted = report.accounted() == report.records
    if not is_counted or report.understood.total() != len(found):
        result.unaccounted.append(f"seed {seed}: the counters do not add up")
    elif report.records + report.breaks < given.records:
        result.unaccounted.append(f"seed {seed}: {report.records} of {given.records} records")


def run(inputs: int, seed: int) -> Result:
    """Read so many inputs, beginning with that of `seed`."""
    result = Result()
    with tempfile.TemporaryDirectory(prefix="authledger-fuzz-") as folder:
        path = Path(folder, "a.json")
        for each in range(seed, seed + inputs):
            check(each, path, result)
    return result


def main() -> int:
    """Return 1 if anything went wrong."""
    inputs, seed = (*map(int, sys.argv[1:3]), *(10_000, 0)[len(sys.argv[1:3]) :])
    result = run(inputs, seed)
    for fault in result.faults[:50]:
        sys.stdout.write(f"{fault}\n")
    sys.stdout.write(
        f"{result.inputs} inputs, {len(result.crashes)} crashes, {len(result.lost)} with lost "
        f"neighbours, {len(result.unaccounted)} with unaccounted records\n"
    )
    return int(bool(result.faults))


if __name__ == "__main__":
    sys.exit(main())
