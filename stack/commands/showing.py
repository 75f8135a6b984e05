"""What all commands share: the data folder, how tables and JSON are shown, how a failure ends."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from stack.trouble import StackError, WrongUsageError

DEFAULT_DATA: Final = Path(".data/local")
FAILED: Final = 1
WRONG_USAGE: Final = 2

Data = Annotated[Path, typer.Option("--data", help="数据目录  the data folder of the stack")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON  print JSON")]

# A pipe has no width: whatever reads it wants whole lines.
PIPE_WIDTH: Final = 240
CONSOLE: Final = Console(soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)


class Group(typer.Typer):
    """Commands whose failures end with a sentence and exit code 1, wrong usage with 2."""

    def __init__(self, explanation: str) -> None:
        super().__init__(
            help=explanation,
            no_args_is_help=True,
            add_completion=False,
            pretty_exceptions_enable=False,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (typer's own)
        """Run a command line."""
        try:
            return super().__call__(*args, **kwargs)
        except StackError as e:
            sys.stderr.write(f"{e}\n")
            raise SystemExit(WRONG_USAGE if isinstance(e, WrongUsageError) else FAILED) from None


def show_json(value: object) -> None:
    """Print a value as JSON, Chinese as itself."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings; None is an empty cell."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    CONSOLE.print(table)
