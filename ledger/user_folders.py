"""Where a user's settings, keys and ledger lie: by the XDG base directory specification on Linux.

A user without a home folder has none of them: HOME is not set, and the user id has no passwd entry,
as in a container that runs under an arbitrary id. Then everything must be named, and nothing fails.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path, user_config_path, user_data_path

from ledger.errors import InvalidInput

_NAME: Final = "authledger"


def config_folder() -> Path | None:
    """The folder of the user's settings; None without a home."""
    return _folder(user_config_path)


def cache_folder() -> Path | None:
    """The folder of what can be made again, such as views; None without a home."""
    return _folder(user_cache_path)


def data_folder() -> Path | None:
    """The folder of the user's ledger; None without a home."""
    return _folder(user_data_path)


def keys_folder() -> Path | None:
    """The folder with the keys of all logs; None without a home."""
    config = config_folder()
    return None if config is None else config / "keys"


def needed(folder: Path | None, what: str, *variables: str) -> Path:
    """The folder, which one of the variables may name. Raises InvalidInput without one."""
    if folder is not None:
        return folder
    raise InvalidInput(
        f"There is no folder for {what}: the user has no home folder.",
        remedy=f"Set {' or '.join((*variables, 'XDG_CONFIG_HOME'))}.",
    )


def _folder(found: Callable[..., Path]) -> Path | None:
    try:
        return found(_NAME, appauthor=False)
    except RuntimeError:
        return None
