"""Scripts that measure; run one with `python -m benchmarks.NAME`. The tables stand in the README beside them."""
