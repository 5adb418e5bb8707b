"""The benchmarks, where software is missing or fails. No test asserts a time."""
