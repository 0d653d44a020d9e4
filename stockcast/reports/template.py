"""A template and values -> HTML that needs no other file and opens no connection."""

import base64
import hashlib
from importlib.resources import files
from typing import Any

from stockcast.errors import StockcastError
from stockcast.text import printable


def render(template: str, *, style: str, script: str = "", **values: Any) -> str:
    """Return the page that a template makes of values, whose text is escaped.

    Args:
        template: name of a file of the folder `templates`.
        style: the only style that the page lets a browser apply.
        script: the only script that it lets it run; empty for none.
        values: what else the template has.

    Raises:
        StockcastError: jinja2 is not installed.
    """
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError as error:
        raise StockcastError(
            "A report needs jinja2, which is not installed. Install the extra report: python -m pip install -c "
            'constraints.txt -e ".[report]"',
            value="jinja2",
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("stockcast.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_readable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        **values,
    )


def asset(name: str) -> str:
    """Return a file beside the templates as it stands."""
    return files("stockcast.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _readable(value: Any) -> Any:
    """Return a value as a page prints it: of text only what can be read, which is escaped after this."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _hash(content: str) -> str:
    """Return the source by which a content security policy allows one style or script, and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
