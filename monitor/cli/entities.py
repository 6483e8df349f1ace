"""`monitor entities`: names to watch for. Needs no store."""

from pathlib import Path

import click


@click.group()
def entities() -> None:
    """Look after the names that `entity:` finds in queries."""


@entities.command("import")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(table: Path) -> None:
    """Print TABLE as YAML for the configuration's `entities/`.

    TABLE is a .csv or .json with a row for each name: id, type, label, qid, lang, name. Label and qid may be absent.
    """
    from monitor.config.entityfile import import_entities  # noqa: PLC0415 - other commands start without it

    click.echo(import_entities(table), nl=False)
