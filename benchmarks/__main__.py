"""Every table of the README: ``python -m benchmarks``, some minutes.

Detection, names and false alarms on the corpus, the rivals on every third layer of it, and the
derivative against other differentiators.
"""

from __future__ import annotations

from benchmarks import derivative, engine


def main() -> None:
    engine.main(["--confusion", "--rivals", "3"])
    print()
    derivative.main()


if __name__ == "__main__":
    main()
