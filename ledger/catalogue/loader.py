"""Reads the catalogue's TOML files: the built-in ones, and those of a folder beside them."""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ledger.catalogue.model import Catalogue, ProviderEntry, Service
from ledger.errors import InvalidInput

BUILT_IN = Path(__file__).parent / "data"


@lru_cache
def load_catalogue(folder: Path | None = None) -> Catalogue:
    """Load `*.toml`: each a `[provider]` or a `[service]`.

    Raises InvalidInput, with the file, if a file is not valid or defines an entry again. So no
    folder can replace a built-in service, and with it the protection of its policy.
    """
    providers: dict[str, ProviderEntry] = {}
    services: dict[tuple[str, str], Service] = {}
    found_in: dict[str, Path] = {}
    for path in _files(folder):
        document = _read(path)
        try:
            if "provider" in document:
                provider = ProviderEntry.model_validate(document["provider"])
                _add(f"the provider {provider.code}", path, found_in)
                providers[provider.code] = provider
            if "service" in document:
                service = Service.model_validate(document["service"])
                _add(f"the service {service.code} of {service.provider}", path, found_in)
                services[service.provider, service.code] = service
        except ValidationError as error:
            raise InvalidInput(
                f"{path} is not a valid catalogue file: {_faults(error)}."
            ) from error
        if not document.keys() & {"provider", "service"}:
            raise InvalidInput(f"{path} has neither a [provider] nor a [service] section.")
    entries = {
        "providers": tuple(providers[key] for key in sorted(providers)),
        "services": tuple(services[key] for key in sorted(services)),
    }
    content = {name: [each.model_dump(mode="json") for each in entries[name]] for name in entries}
    version = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
    return Catalogue.model_validate({"version": version, **entries})


def _faults(error: ValidationError) -> str:
    """Each field that is not valid, on one line."""
    faults = ((".".join(map(str, each["loc"])), each["msg"]) for each in error.errors())
    return "; ".join(f"{place}: {why}" if place else why for place, why in faults)


def _add(entry: str, path: Path, found_in: dict[str, Path]) -> None:
    """Remember which file defines an entry. Raises InvalidInput if another file defines it too."""
    first = found_in.setdefault(entry, path)
    if first is path:
        return
    why = f"{first} defines it too"
    if first.parent == BUILT_IN:
        why = "it is built in, and a built-in entry cannot be replaced"
    raise InvalidInput(
        f"{path} defines {entry}: {why}. The catalogue was not loaded.",
        remedy="Give your entry a code of its own, or remove that file.",
    )


def _files(folder: Path | None) -> list[Path]:
    files = sorted(BUILT_IN.glob("*.toml"))
    if folder is not None:
        if not folder.is_dir():
            raise InvalidInput(f"The catalogue folder {folder} does not exist.")
        files += sorted(folder.glob("*.toml"))
    return files


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise InvalidInput(
            f"{path} is not TOML that can be read: it is nested too deeply."
        ) from error
    except ValueError as error:
        raise InvalidInput(f"{path} is not TOML: {error}") from error
