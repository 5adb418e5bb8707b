"""The names of ids: entries often have an id alone, and the folded views know whose it is."""


def names_by_id(view: str, name: str) -> str:
    """A SELECT of the name of each id; of one that was renamed, its present name."""
    return (
        f"SELECT provider, account, {name}_id AS id, MAX({name}) AS name FROM {view} "
        f"WHERE {name}_id <> '' AND {name} <> {name}_id AND status <> 'renamed' "
        f"GROUP BY provider, account, {name}_id"
    )
