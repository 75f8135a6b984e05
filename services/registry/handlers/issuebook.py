"""Writes a batch's issues in the order of its sheet, and counts the warnings of accepted rows."""

from collections.abc import Callable, Iterable, Sequence

from services.registry.roster.check import CheckedRow
from services.registry.roster.issue import Issue
from services.registry.store import batches
from services.registry.store.batches import Batch
from shared.transaction import Tx

#: Gives a row's issues, and whether the row was accepted; by the row's place in the file.
Teller = Callable[[int, CheckedRow], tuple[list[Issue], bool]]


class IssueBook:
    """The issues of one batch, numbered as they are written."""

    def __init__(self, batch: Batch) -> None:
        self.warning_count = 0
        self._batch = batch
        self._count = 0

    async def write(self, tx: Tx, issues: Iterable[Issue]) -> None:
        """Write issues as they come."""
        records = [self._record(issue) for issue in issues]
        if records:
            await batches.insert_issues(tx, records)

    async def write_rows(
        self, tx: Tx, tell: Teller, start: int, chunk: Sequence[CheckedRow]
    ) -> None:
        """Write the issues of a chunk of rows, the first being the `start`th of the file."""
        told: list[Issue] = []
        for index, row in enumerate(chunk, start):
            issues, accepted = tell(index, row)
            told += issues
            if accepted:
                self.warning_count += sum(i.severity == "warning" for i in issues)
        await self.write(tx, told)

    def _record(self, issue: Issue) -> tuple[object, ...]:
        self._count += 1
        return (
            self._batch.batch_id, self._count, self._batch.tenant_id, issue.row, issue.column,
            issue.header, issue.field, issue.code, issue.severity, issue.message,
            issue.value_masked, issue.first_row,
        )  # fmt: skip
