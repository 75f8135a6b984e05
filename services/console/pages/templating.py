"""Turns a template and its values into a page's HTML, with the headers that every page has."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.console.domain.web_hook import kind_of
from services.console.pages.assets import asset
from services.console.pages.figures import grouped

_TEMPLATES: Final = Path(__file__).parents[1] / "templates"
#: Nothing leaves the origin, and no script or style stands in a page.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@cache
def environment() -> Environment:
    """Give the templates; a name that a page was not given is an error, never an empty space."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"asset": asset, "icon": icon, "grouped": grouped, "kind_of": kind_of}
    return made


@cache
def icon(name: str) -> Markup:
    """Give one of our drawings as inline SVG; it is decoration, the words stand beside it."""
    return Markup((_TEMPLATES / "icons" / f"{name}.svg").read_text("utf-8"))  # noqa: S704 (our own file)


def rendered_page(template: str, values: Mapping[str, Any], status: int = 200) -> Response:
    """Render a page."""
    content = environment().get_template(template).render(values)
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
    return Response(content, status, headers, "text/html; charset=utf-8")
