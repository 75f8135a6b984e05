"""Sets a manifest as a PDF: A4, page x of y, and a ticket with its QR code for each passenger."""

import json
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Final

import segno
import typst

from services.transport.printing.sheet import Line, Sheet

_TEMPLATE: Final = Path(__file__).with_name("manifest.typ")


def as_pdf(sheet: Sheet, font_dir: Path | None = None) -> bytes:
    """Give the bytes of a PDF. Chinese needs a font: of `font_dir`, or of the system."""
    data = {
        "title": sheet.title,
        "facts": sheet.facts,
        "stops": sheet.stops,
        "lines": [asdict(line) | {"qr": _qr(line)} for line in sheet.lines],
    }
    # Data never becomes markup: it goes in beside the template, as JSON.
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    fonts = [str(font_dir)] if font_dir else []
    pdf: bytes = typst.compile(str(_TEMPLATE), font_paths=fonts, sys_inputs=inputs)
    return pdf


def _qr(line: Line) -> str:
    image = BytesIO()
    segno.make(line.ticket, error="m", micro=False).save(image, kind="svg", xmldecl=False, border=2)
    return image.getvalue().decode()
