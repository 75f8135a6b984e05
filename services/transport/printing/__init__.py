"""Manifests on paper: names fetched for this run only, a workbook, a PDF with a ticket each."""

from services.transport.printing.names import Names
from services.transport.printing.pdf import as_pdf
from services.transport.printing.sheet import Line, Sheet
from services.transport.printing.workbook import as_workbook

__all__ = ["Line", "Names", "Sheet", "as_pdf", "as_workbook"]
