"""`make bench`: everything that is measured, each beside its peers, one after the other."""

import subprocess
import sys
import time

BENCHES = (
    "bench.four_hops",
    "bench.journeys",
    "bench.registry",
    "bench.matching.run",
    "bench.transport.seats",
    "bench.transport.planning",
    "bench.lodging.allocation",
    "bench.monitor",
    "bench.rebuild",
)


def main() -> int:
    """Run them all, also after one has missed its goal; 1 when any has."""
    missed = []
    for name in BENCHES:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        argv = [sys.executable, "-m", name]
        if subprocess.run(argv, check=False).returncode:  # noqa: S603 (our own modules)
            missed.append(name)
        print(f"== {name}: {time.monotonic() - began:.0f} s\n", flush=True)
    print("missed: " + ", ".join(missed) if missed else "every goal is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
