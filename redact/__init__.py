"""Anonymise photos and videos for publication, and check the finished bytes before they leave.

The stages, in order: probe, analyse, plan, render, gate, release. Each has a folder of its name or is a
module of its own; `redact.pipeline` walks one item through all of them.
"""

__version__ = "0.1.0"
