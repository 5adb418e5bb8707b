"""Makes a fact of a cloud's trace, to be observed."""

from __future__ import annotations

from pydantic import ValidationError

import ledger.application  # noqa: F401  Brings all events along.
from ledger.errors import InvalidInput, UnknownTopic
from ledger.messages import DomainEvent, event_class, topics
from ledger.near_words import did_you_mean


def event(topic: str, **fields: object) -> DomainEvent:
    """Return the event of a topic, such as `AgencyCreated.v1`, with these fields.

    `authledger docs events` lists the topics and their fields. Raises InvalidInput for
    another topic, and for a field that is missing, unknown or not valid.
    """
    try:
        return event_class(topic).model_validate(fields)
    except UnknownTopic as error:
        raise InvalidInput(
            f"The topic {topic!r} is not valid.",
            remedy=did_you_mean(topic, topics()),
        ) from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors(include_url=False)
        )
        raise InvalidInput(
            f"These are not the fields of {topic}: {faults}.",
            remedy="`authledger docs events` lists the fields of each topic.",
        ) from error
