"""The settings that a message prints, to be set as a reader of it would."""

import re
import shlex


def proposed_settings(message: str) -> list[str]:
    """Return the `KEY=VALUE` of each `--set` of a message, as the shell would hand it over."""
    found = re.findall(r"--set ((?:'[^']*'|\"[^\"]*\"|[^\s'\")])+)", message)
    return [shlex.split(one)[0] for one in found]
