"""The process that reads one sheet: `python -m services.lodging.sheet.child`."""

from services.lodging.sheet.rows import TABLE
from shared.sheets.child import answer

if __name__ == "__main__":
    answer(TABLE.read)
