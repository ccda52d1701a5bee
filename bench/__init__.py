"""Benchmarks that print what the README quotes. `python -m bench` runs all; see README.md beside this file."""
