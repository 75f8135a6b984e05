"""A row as its readers see it: a database's record or a mapping of the same names."""

from collections.abc import Iterable
from typing import Any, Protocol


class Row(Protocol):
    """Values by the name of their column."""

    def __getitem__(self, name: str, /) -> Any:  # noqa: ANN401 (whatever the column holds)
        """Give a column's value."""

    def keys(self) -> Iterable[str]:
        """List the names of the columns."""
