"""Every table of the README: ``python -m benchmarks``, some minutes.

Detection, names and false alarms on the corpus, the rivals on every third layer of it, the
diagnosis of training runs beside other tools' rules, and the derivative against other
differentiators.
"""

from __future__ import annotations

from benchmarks import derivative, diagnosis, engine


def main() -> None:
    engine.main(["--confusion", "--rivals", "3"])
    print()
    diagnosis.main()
    print()
    derivative.main()


if __name__ == "__main__":
    main()
