"""A stream's state as text, so that a command need not read the whole stream again.

{"state":"5f0c…","provider":"huaweicloud",…,"facts":[[["created","granted"],[0,1,1]],…]}: every
field of the state, by its declared type. A mapping is a list of pairs, a timeline the list of its
facts in the order in which they happened. A list of rows is a list of columns; a column is its
different values, and for each row the index of its value; or null, if all values are null.
`state` names the shape, and follows by itself from the declared fields and types and from the facts
that events say, so that a program with another state passes the snapshot over. A snapshot is
derived: a program that cannot read it replays the entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic_core import from_json, to_json

from ledger.account.facts import SAYS
from ledger.account.state import Timeline
from ledger.account.topics import EVENTS
from ledger.values import instant, instant_text

RULES: Final = 1
"""Grows when an `evolve` makes another state of the same events without a change of its shape."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type become JSON and come back.

    Loaded values are not checked: the version says that a program of the same shape wrote them.
    """

    shape: str
    """The type in words: names of fields, and their types."""
    dump: Callable[[Any], Any]
    load: Callable[[Any], Any]

    @property
    def is_plain(self) -> bool:
        """Whether a value is the same in JSON. Then no function is called for each."""
        return self.dump is _same and self.load is _same


def to_text(state: object) -> str:
    """The state as one line of JSON."""
    kind: Any = type(state)
    return to_json({"state": version_of(kind), **codec_of(kind).dump(state)}).decode()


def from_text(text: str, kind: type[S]) -> S:
    """The inverse of `to_text`: a state of that class. Raises ValueError for anything else."""
    shape: Any = kind
    try:
        content = from_json(text)
        state = content.pop("state")
        if state != version_of(shape):
            raise ValueError(f"the snapshot has the state {state!r}, not {version_of(shape)!r}")
        loaded: S = codec_of(shape).load(content)
    except (TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a snapshot of an account: {error!r}") from error
    return loaded


@lru_cache
def version_of(kind: Any) -> str:
    """A digest of all that a state follows from: its shape, and what events make of it."""
    changing = sorted(event.TOPIC for event, meaning in EVENTS.items() if meaning.evolve)
    said = sorted((event.TOPIC, *map(tuple, says)) for event, says in SAYS.items())
    content = f"{RULES} {changing} {said} {codec_of(kind).shape}"
    return hashlib.sha256(content.encode()).hexdigest()[:12]


@lru_cache
def codec_of(kind: Any) -> Codec:
    """The codec of a type. Raises TypeError for one that a snapshot cannot hold."""
    codec = _LEAVES.get(kind) or _generic(get_origin(kind), get_args(kind))
    if codec is None and isinstance(kind, type) and hasattr(kind, "_fields"):
        codec = _row(kind.__name__, get_type_hints(kind), kind)
    if codec is None and isinstance(kind, type) and is_dataclass(kind):
        codec = _record(kind)
    if codec is None:
        raise TypeError(f"a snapshot cannot hold the type {kind}: give it a codec here")
    return codec


def _generic(origin: Any, args: tuple[Any, ...]) -> Codec | None:
    if origin is Literal:
        return Codec(repr(args), _same, _same)
    if origin in (Union, UnionType) and len(args) == 2 and args[1] is NoneType:
        return _optional(codec_of(args[0]))
    if origin is Timeline:
        return _timeline(codec_of(args[0]))
    if origin is dict:
        return _mapping(codec_of(args[0]), codec_of(args[1]))
    if origin is list:
        return _table(args[0])
    if origin is tuple and args[1:] == (...,):
        return _list(codec_of(args[0]))
    if origin is tuple:
        return _row("tuple", {str(place): each for place, each in enumerate(args)}, _tuple)
    return None


def _same(value: Any) -> Any:
    return value


def _tuple(*row: Any) -> tuple[Any, ...]:
    return row


_LEAVES: Final[dict[Any, Codec]] = {
    **{kind: Codec(kind.__name__, _same, _same) for kind in (str, int, bool)},
    datetime: Codec("datetime", instant_text, instant),
}


def _optional(codec: Codec) -> Codec:
    if codec.is_plain:
        return Codec(f"{codec.shape}?", _same, _same)
    return Codec(
        f"{codec.shape}?",
        lambda value: None if value is None else codec.dump(value),
        lambda value: None if value is None else codec.load(value),
    )


def _list(codec: Codec) -> Codec:
    return Codec(
        f"[{codec.shape}]",
        lambda values: [codec.dump(value) for value in values],
        lambda values: tuple([codec.load(value) for value in values]),
    )


def _mapping(key: Codec, value: Codec) -> Codec:
    return Codec(
        f"{{{key.shape}: {value.shape}}}",
        lambda items: [(key.dump(k), value.dump(v)) for k, v in items.items()],
        lambda pairs: {key.load(k): value.load(v) for k, v in pairs},
    )


def _table(kind: Any) -> Codec:
    """A list of named tuples, as columns: most of their values occur often."""
    codecs = [codec_of(each) for each in get_type_hints(kind).values()]

    def dump(rows: list[Any]) -> list[Any]:
        columns = zip(*rows, strict=True) if rows else [()] * len(codecs)
        return [_column(codec, values) for codec, values in zip(codecs, columns, strict=True)]

    def load(columns: list[Any]) -> list[Any]:
        count = max((len(column[1]) for column in columns if column is not None), default=0)
        loaded = [_values(*pair, count) for pair in zip(codecs, columns, strict=True)]
        return list(map(kind._make, zip(*loaded, strict=True)))

    return Codec(f"[{codec_of(kind).shape}]", dump, load)


def _column(codec: Codec, values: tuple[Any, ...]) -> tuple[list[Any], list[int]] | None:
    different = dict.fromkeys(values)
    if different.keys() <= {None}:
        return None
    index = {value: place for place, value in enumerate(different)}
    return [codec.dump(value) for value in different], [index[value] for value in values]


def _values(codec: Codec, column: tuple[list[Any], list[int]] | None, count: int) -> list[Any]:
    if column is None:
        return [None] * count
    different = [codec.load(value) for value in column[0]]
    return [different[place] for place in column[1]]


def _timeline(codec: Codec) -> Codec:
    def dump(timeline: Timeline[Any]) -> list[tuple[str, Any]]:
        if codec.is_plain:
            return [(instant_text(at), value) for at, value in timeline]
        return [(instant_text(at), codec.dump(value)) for at, value in timeline]

    def load(facts: Any) -> Timeline[Any]:
        timeline: Timeline[Any] = Timeline()
        for at, value in facts:
            timeline.learn(codec.load(value), instant(at))
        return timeline

    return Codec(f"Timeline({codec.shape})", dump, load)


def _row(name: str, hints: dict[str, Any], make: Callable[..., Any]) -> Codec:
    """A tuple whose places have types of their own."""
    codecs = [codec_of(kind) for kind in hints.values()]
    fields = zip(hints, codecs, strict=True)
    shape = f"{name}({', '.join(f'{field}: {codec.shape}' for field, codec in fields)})"
    if all(codec.is_plain for codec in codecs):
        return Codec(shape, _same, lambda row: make(*row))
    return Codec(
        shape,
        lambda row: [c.dump(value) for c, value in zip(codecs, row, strict=True)],
        lambda row: make(*[c.load(value) for c, value in zip(codecs, row, strict=True)]),
    )


def _record(kind: type[Any]) -> Codec:
    hints = get_type_hints(kind)
    codecs = {field.name: codec_of(hints[field.name]) for field in fields_of(kind) if field.init}
    shape = ", ".join(f"{name}: {codec.shape}" for name, codec in codecs.items())

    def load(content: dict[str, Any]) -> Any:
        if content.keys() != codecs.keys():
            raise ValueError(f"it has the fields {sorted(content)}, not {sorted(codecs)}")
        return kind(**{name: codec.load(content[name]) for name, codec in codecs.items()})

    return Codec(
        f"{kind.__name__}({shape})",
        lambda record: {name: codec.dump(getattr(record, name)) for name, codec in codecs.items()},
        load,
    )
