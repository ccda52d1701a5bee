"""Benchmarks that print what the README quotes: `python -m bench`. See README.md beside this file."""
