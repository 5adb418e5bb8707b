"""What the benchmarks say where something is missing; no test asserts a time."""
