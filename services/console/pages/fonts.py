"""Chinese web fonts, and a reader of QR codes, that were brought by npm at set-up, if they were."""

import re
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"[a-z0-9-]{1,80}\.(css|woff2|js)")
READER: Final = "jsqr.js"


class Fonts:
    """A folder with font files, `fonts.css` and the reader; without one the machine's fonts do."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def there(self) -> bool:
        """Tell whether pages may name the font."""
        return self._folder is not None and (self._folder / "fonts.css").is_file()

    @property
    def reader(self) -> str:
        """The address of the reader of QR codes; empty without one."""
        return f"/fonts/{READER}" if self.find(READER) else ""

    def find(self, name: str) -> Path | None:
        """Give a font file by its name."""
        if self._folder is None or not _NAME.fullmatch(name):
            return None
        path = self._folder / name
        return path if path.is_file() else None
