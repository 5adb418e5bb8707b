"""The messages of the process that reads: flat tuples, of which observations are made again.

    reader → writer    Part(file, records, stored_bytes, shapes, traces)   again and again
                       End(report), or Fault(error, trace)                 once

A pickled observation would name the classes of its events, and the fields of each, in every trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ledger.documents import Document
from ledger.messages import DomainEvent, Observation, Provenance, event_class
from ledger.sources import ImportReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The files to read, and how. `source` is a source's name; the others are as in read_traces."""

    source: str
    provider: str
    account: str | None
    paths: tuple[Path, ...]
    now: datetime
    only_account: str | None


class Shape(NamedTuple):
    """The fields of an event, in their order, and those of them that were given a value."""

    topic: str
    fields: tuple[str, ...]
    given: frozenset[str]


class Part(NamedTuple):
    """Some traces, each as a flat tuple; and how far the reader had come with the last of them."""

    file: str
    records: int
    stored_bytes: int
    """How many bytes were read since the part before."""
    shapes: tuple[Shape, ...]
    """Those that occur here for the first time. An event has its shape's number, from 0 on."""
    traces: list[tuple[Any, ...]]


class End(NamedTuple):
    """Everything was read."""

    report: ImportReport


class Fault(NamedTuple):
    """The reader raised an error; `trace` says where in the code."""

    error: BaseException
    trace: str


class Packer:
    """Makes flat tuples of observations."""

    def __init__(self) -> None:
        self._numbers: dict[Shape, int] = {}
        self._new: list[Shape] = []

    def packed(self, trace: Observation) -> tuple[Any, ...]:
        """The observation as a tuple, in the order that `Unpacker` expects."""
        source = trace.source
        return (
            trace.provider,
            trace.account,
            trace.effective_at,
            source.trace_id,
            source.file,
            source.verified,
            trace.actor,
            trace.address,
            trace.correlation_id,
            dict(trace.names),
            tuple(map(tuple, trace.documents)),
            trace.sums_up,
            trace.former_trace_id,
            [self._event(each) for each in trace.events],
        )

    def new_shapes(self) -> tuple[Shape, ...]:
        """The shapes that were met since this was asked before."""
        new, self._new = tuple(self._new), []
        return new

    def _event(self, event: DomainEvent) -> tuple[Any, ...]:
        fields = event.__dict__
        shape = Shape(event.TOPIC, tuple(fields), frozenset(event.__pydantic_fields_set__))
        number = self._numbers.get(shape)
        if number is None:
            number = self._numbers[shape] = len(self._numbers)
            self._new.append(shape)
        return (number, *fields.values())


class _Known(NamedTuple):
    """A shape, as an event is made of it."""

    kind: type[DomainEvent]
    fields: tuple[str, ...]
    given: set[str]


class Unpacker:
    """Makes the observations again. Their events are not validated a second time."""

    def __init__(self) -> None:
        self._shapes: list[_Known] = []

    def observations(self, part: Part) -> Iterator[Observation]:
        """The observations of a part; the parts are taken in their order."""
        self._shapes += [
            _Known(event_class(each.topic), each.fields, set(each.given)) for each in part.shapes
        ]
        return map(self._observation, part.traces)

    def _observation(self, packed: tuple[Any, ...]) -> Observation:
        (
            provider,
            account,
            effective_at,
            trace_id,
            file,
            verified,
            actor,
            address,
            correlation_id,
            names,
            documents,
            sums_up,
            former_trace_id,
            events,
        ) = packed
        return Observation(
            provider=provider,
            account=account,
            events=tuple([self._event(*each) for each in events]),
            effective_at=effective_at,
            source=Provenance(trace_id=trace_id, file=file, verified=verified),
            actor=actor,
            address=address,
            correlation_id=correlation_id,
            names=names,
            documents=tuple([Document(*each) for each in documents]),
            sums_up=sums_up,
            former_trace_id=former_trace_id,
        )

    def _event(self, number: int, *values: Any) -> DomainEvent:
        kind, fields, given = self._shapes[number]
        event = kind.__new__(kind)
        # As pydantic itself unpickles a model. Nothing changes the set: a copy has one of its own.
        _set(event, "__dict__", dict(zip(fields, values, strict=True)))
        _set(event, "__pydantic_fields_set__", given)
        _set(event, "__pydantic_extra__", None)
        _set(event, "__pydantic_private__", None)
        return event


_set = object.__setattr__
