"""Where a setting comes from: flag > AUTHLEDGER_* > ./authledger.toml > XDG config > default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cli.input import check_text
from cli.trusted import TrustedFiles, place_of, sha256_of

if TYPE_CHECKING:
    from datetime import timedelta

    from ledger.persistence.location import Location

NAMES: Final = (
    "ledger",
    "catalogue",
    "provider",
    "account",
    "service",
    "region",
    "output",
    "actor",
    "log_keys",
    "checkpoint_every",
    "require_signature",
)
DEFAULTS: Final[Mapping[str, str]] = {
    "provider": "huaweicloud",
    "service": "asm",
    "output": "table",
    "checkpoint_every": "1",
}
LOCAL_FILE: Final = "authledger.toml"
GUARDED: Final[Mapping[str, str]] = {
    "actor": "an actor is the name under which your commands are recorded",
    "catalogue": "a catalogue says which agencies and policies are protected",
    "checkpoint_every": "it decides whether what you append is signed at once",
    "ledger": "a PostgreSQL server is sent passwords, and its URL can load a library",
    "log_keys": "a folder of keys names the program that signs, and the keys that are believed",
}
"""The settings that LOCAL_FILE must not name unless it is trusted, since it may be downloaded."""


def truthy(text: str | None) -> bool:
    return (text or "").lower() not in ("", "0", "no", "false", "off")


class Setting(NamedTuple):
    """A setting's value, and what it comes from: a flag, a variable, a file's path or "default"."""

    value: str | None
    source: str


class Settings:
    """All settings of one call. Raises InvalidInput where one cannot be understood."""

    def __init__(self, flags: Mapping[str, str | None], *, shows_untrusted: bool = False) -> None:
        """`shows_untrusted`: what LOCAL_FILE must not name is left out, and not an error."""
        self._flags = flags
        self._shows_untrusted = shows_untrusted

    def given(self, name: str) -> str | None:
        """The value of a flag; None without one, whatever the other sources say."""
        return self._flags.get(name)

    def value(self, name: str) -> str | None:
        return self.found(name).value

    def found(self, name: str) -> Setting:
        """The value that counts, and what it comes from."""
        if (by_hand := self._by_hand(name)) is not None:
            is_flag = self._flags.get(name) is not None
            return Setting(by_hand, f"--{name}" if is_flag else f"AUTHLEDGER_{name.upper()}")
        return self._files.get(name) or Setting(DEFAULTS.get(name), "default")

    def _by_hand(self, name: str) -> str | None:
        """The value of a flag or a variable; None without either."""
        if (flag := self._flags.get(name)) is not None:
            return flag
        variable = f"AUTHLEDGER_{name.upper()}"
        value = os.environ.get(variable) or None
        check_text(variable, value or "")
        return value

    def need(self, name: str) -> str:
        value = self.value(name)
        if value is not None:
            return value
        from ledger.errors import InvalidInput

        raise InvalidInput(
            f"No {name} was given.",
            remedy=f"Add --{name}, set AUTHLEDGER_{name.upper()}, "
            f'or write {name} = "…" into ./{LOCAL_FILE}.',
        )

    @property
    def ledger(self) -> Location:
        from ledger.persistence.location import location_of
        from ledger.user_folders import data_folder

        named = self.value("ledger")
        if not named and (folder := data_folder()) is not None:
            return location_of(folder / "ledger.db")
        return location_of(self.need("ledger"))

    @property
    def catalogue(self) -> Path | None:
        folder = self.value("catalogue")
        return None if folder is None else expanded(folder)

    @property
    def log_keys(self) -> Path | None:
        """The folder with the keys of logs; None is the one in the XDG configuration folder."""
        folder = self.value("log_keys")
        return None if folder is None else expanded(folder)

    @property
    def checkpoint_every(self) -> int:
        text = self.need("checkpoint_every")
        if text.isascii() and text.isdigit() and len(text) < 19:
            return int(text)
        from ledger.errors import InvalidInput

        raise InvalidInput(
            f"The setting checkpoint_every {text!r} is not valid. Accepted: a number of entries.",
            remedy="1 signs a checkpoint with every append, 0 only with `log checkpoint`.",
        )

    @property
    def require_signature(self) -> bool:
        return truthy(self.value("require_signature"))

    @property
    def clock_tolerance(self) -> timedelta | None:
        """How far after the last recorded time an append may be; None: the default.

        No file can set it: a person says once that the clock is right.
        """
        text = self._by_hand("clock_tolerance")
        if text is None:
            return None
        from ledger.as_of import parse_duration

        return parse_duration(text)

    @cached_property
    def _files(self) -> Mapping[str, Setting]:
        from ledger.user_folders import config_folder

        found: dict[str, Setting] = {}
        own, local = config_folder(), Path(LOCAL_FILE)
        if own is not None and (file := own / "config.toml").is_file():
            found |= _from(file, settings_in(file, file.read_bytes()))
        if local.is_file():
            content = local.read_bytes()
            settings = settings_in(local, content)
            if not self._shows_untrusted:
                wanted = [name for name in guarded_in(settings) if not self._by_hand(name)]
                _check_trusted(local, content, wanted)
            found |= _from(local, {n: v for n, v in settings.items() if n not in self.untrusted})
        return found

    @cached_property
    def untrusted(self) -> Mapping[str, Setting]:
        """The settings of LOCAL_FILE that do not count, since the user did not trust the file."""
        local = Path(LOCAL_FILE)
        if not self._shows_untrusted or not local.is_file():
            return {}
        content = local.read_bytes()
        if trusted_files().sha256(local) == sha256_of(content):
            return {}
        settings = settings_in(local, content)
        return _from(local, {name: settings[name] for name in guarded_in(settings)})


def _from(file: Path, settings: Mapping[str, str]) -> Mapping[str, Setting]:
    return {name: Setting(value, place_of(file)) for name, value in settings.items()}


def trusted_files() -> TrustedFiles:
    from ledger.user_folders import config_folder

    config = config_folder()
    return TrustedFiles(None if config is None else config / "trusted")


def guarded_in(settings: Mapping[str, str]) -> list[str]:
    """The settings that a file may name only if it is trusted; a ledger file needs no trust."""
    return [
        name
        for name, value in sorted(settings.items())
        if name in GUARDED and (name != "ledger" or value.startswith(("postgres:", "postgresql:")))
    ]


def _check_trusted(path: Path, content: bytes, wanted: list[str]) -> None:
    """Raises InvalidInput. To ignore the settings would be to answer with another key."""
    if not wanted or (known := trusted_files().sha256(path)) == sha256_of(content):
        return
    from shlex import quote

    from ledger.errors import InvalidInput

    place = place_of(path)
    why = "this file is not trusted" if known is None else "this file changed since it was trusted"
    raise InvalidInput(
        f"{place} sets {' and '.join(wanted)}, and {why}: "
        f"{'; '.join(GUARDED[name] for name in wanted)}. Nothing was done.",
        remedy=f"Read the file. To trust it as it is now: authledger trust "
        f"{quote(str(Path(place).parent))}\nOr set the variable yourself: "
        f"{', '.join(f'AUTHLEDGER_{name.upper()}' for name in wanted)}.",
    )


def expanded(path: str) -> Path:
    """A path with `~` in its beginning replaced. Raises InvalidInput if there is no such home."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        from ledger.errors import InvalidInput

        raise InvalidInput(f"The folder {path!r} does not exist: {error}") from error


def settings_in(path: Path, content: bytes) -> Mapping[str, str]:
    """The settings that a file holds, its paths made relative to it. Raises InvalidInput."""
    import tomllib

    from ledger.errors import InvalidInput
    from ledger.near_words import did_you_mean

    try:
        document: Mapping[str, Any] = tomllib.loads(content.decode())
    except RecursionError as error:
        raise InvalidInput(f"{path} cannot be read as TOML: it is nested too deeply.") from error
    except ValueError as error:
        raise InvalidInput(f"{path} is not TOML: {error}.") from error
    for name, value in document.items():
        if name not in NAMES:
            raise InvalidInput(
                f"{path} sets {name!r}, which is not a setting.",
                remedy=did_you_mean(name, NAMES),
            )
        if not isinstance(value, str) or not value:
            raise InvalidInput(
                f'{path}: the setting {name} is not valid. Write a text in quotes: {name} = "…"'
            )
        check_text(f"{path}: {name}", value)
    return {name: _placed(path, name, value) for name, value in document.items()}


def _placed(path: Path, name: str, value: str) -> str:
    """Paths in a file are relative to it, so that it means the same from wherever it is found."""
    from ledger.persistence.location import is_connection_string

    is_path = name in ("catalogue", "log_keys") or (
        name == "ledger" and ":" not in value and not is_connection_string(value)
    )
    return str(path.parent / expanded(value)) if is_path else value
