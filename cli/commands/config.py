"""authledger config: the settings that count here, and what each comes from."""

from __future__ import annotations

import typer

from cli.options import Reading, command
from cli.printing.output import output_named, say, show
from cli.settings import NAMES, Setting, Settings

app = typer.Typer(help="The settings that count here, and what each comes from.")


@command(app, "show")
def show_(ask: Reading) -> None:
    """Show every setting: its value, and the flag, variable or file that it comes from.

    The order is: flags, AUTHLEDGER_* variables, ./authledger.toml, the user's own config.toml,
    defaults. Settings that ./authledger.toml must not name are marked until the file is trusted;
    any other command refuses to run with them. Passwords are not shown.
    """
    settings = Settings(ask.flags, shows_untrusted=True)
    form = output_named(settings.value("output") or "")
    rows = [(name, *_counting(name, settings), "in use") for name in NAMES]
    for name, (value, source) in settings.untrusted.items():
        rows.append((name, _shown(name, value), source, "not trusted"))
    show(form, ("setting", "value", "source", "state"), rows, whole=True)
    if settings.untrusted:
        say("Read the file. To trust it as it is now: authledger trust .")


def _counting(name: str, settings: Settings) -> Setting:
    found = settings.found(name)
    if found.value is None:
        return Setting(_default(name, settings), "default")
    return Setting(_shown(name, found.value), found.source)


def _shown(name: str, value: str | None) -> str | None:
    """The value; of a PostgreSQL URL without its password."""
    from ledger.persistence.location import location_of

    return str(location_of(value)) if name == "ledger" and value is not None else value


def _default(name: str, settings: Settings) -> str | None:
    """The value that is used if nobody named one; None if there is none."""
    from authledger.actor import actor_of
    from ledger.user_folders import data_folder, keys_folder

    match name:
        case "ledger":
            return None if data_folder() is None else str(settings.ledger)
        case "log_keys":
            return None if (folder := keys_folder()) is None else str(folder)
        case "actor":
            return actor_of(None).name
        case _:
            return None
