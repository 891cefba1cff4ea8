"""Tables on the terminal."""

import typer


def print_rows(rows: list[dict[str, object]]) -> None:
    """Print the names of the columns and then the rows, one a line, tab-separated; nothing when there are none."""
    if rows:
        typer.echo("\t".join(rows[0]))
    for row in rows:
        typer.echo("\t".join("" if value is None else str(value) for value in row.values()))
