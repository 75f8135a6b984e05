"""Chinese web fonts that were brought by npm at set-up, if they were."""

import re
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"[a-z0-9-]{1,80}\.(css|woff2)")


class Fonts:
    """A folder of font files with `fonts.css`; without one the machine's own fonts are used."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def there(self) -> bool:
        """Tell whether pages may name the font."""
        return self._folder is not None and (self._folder / "fonts.css").is_file()

    def find(self, name: str) -> Path | None:
        """Give a font file by its name."""
        if self._folder is None or not _NAME.fullmatch(name):
            return None
        path = self._folder / name
        return path if path.is_file() else None
