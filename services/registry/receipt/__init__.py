"""What an office files away of a batch: how its rows count, what is wrong, and how to mend it."""

from services.registry.receipt.pdf import PAPER_FAULTS_MAX, as_pdf
from services.registry.receipt.sheet import Fault, Kind, Receipt, receipt_of
from services.registry.receipt.workbook import SHEET_FAULTS_MAX, as_workbook

__all__ = [
    "PAPER_FAULTS_MAX",
    "SHEET_FAULTS_MAX",
    "Fault",
    "Kind",
    "Receipt",
    "as_pdf",
    "as_workbook",
    "receipt_of",
]
