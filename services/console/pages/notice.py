"""What a page says once about the form that was just sent; it holds no personal data."""

import base64
import json
from dataclasses import asdict, dataclass
from typing import Literal, Self

TEXT_LENGTH_MAX = 600


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence in the visitor's language, and whether it is good news."""

    kind: Literal["done", "failed"]
    text: str

    def written(self) -> str:
        """Write it as a cookie's value."""
        text = json.dumps(asdict(self) | {"text": self.text[:TEXT_LENGTH_MAX]})
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, value: str) -> Self | None:
        """Read a cookie's value; None when it is not one of ours."""
        try:
            found = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
            kind, text = found["kind"], found["text"]
        except (ValueError, KeyError, TypeError):
            return None
        known = kind in {"done", "failed"} and isinstance(text, str)
        return cls(kind, text[:TEXT_LENGTH_MAX]) if known else None
