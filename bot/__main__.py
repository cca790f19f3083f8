"""``python -m bot``: the web process; without the extra ``slack``, a line that says what to install."""

import sys

from bot.extra import refuse


def main() -> int:
    """Run the web process and return its exit status."""
    try:
        from bot.process import main as run
    except ModuleNotFoundError as error:
        raise refuse("bot", error) from None
    return run()


if __name__ == "__main__":
    sys.exit(main())
