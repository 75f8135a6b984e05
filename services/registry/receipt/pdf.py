"""Sets a receipt as a PDF on A4, page x of y."""

import json
from pathlib import Path
from typing import Final

from services.registry.receipt.sheet import Receipt

#: More faults than these are read in the workbook, not on paper.
PAPER_FAULTS_MAX: Final = 200
_TEMPLATE: Final = Path(__file__).with_name("receipt.typ")


def as_pdf(receipt: Receipt, font_dir: Path | None = None) -> bytes:
    """Give the bytes of a PDF. Chinese needs a font: of `font_dir`, or of the system."""
    # Only here: most services never set a receipt, and it would weigh 7 MB in each.
    import typst  # noqa: PLC0415

    told = receipt._asdict()
    for name in ("kinds", "faults"):
        told[name] = [one._asdict() for one in told[name]]
    # Data never becomes markup: it goes in beside the template, as JSON.
    inputs = {"data": json.dumps(told, ensure_ascii=False)}
    fonts = [str(font_dir)] if font_dir else []
    pdf: bytes = typst.compile(str(_TEMPLATE), font_paths=fonts, sys_inputs=inputs)
    return pdf
