"""A container's health: asks the service in it whether it is ready; exit code 1 when it isn't.

The standard library only: it runs every few seconds in every container.
"""

import os
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 3.0


def main() -> None:
    """Ask the service whose port the environment names."""
    ports = [value for name, value in os.environ.items() if name.endswith("_HTTP_PORT")]
    try:
        for port in ports:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=TIMEOUT_S).close()
    except (urllib.error.URLError, OSError):
        sys.exit(1)


if __name__ == "__main__":
    main()
