"""The process that reads one sheet: `python -m services.recruitment.sheet.child`."""

from services.recruitment.sheet.rows import read
from shared.sheets.child import answer

if __name__ == "__main__":
    answer(read)
