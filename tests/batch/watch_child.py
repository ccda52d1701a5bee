"""A watcher over the stub stages, for a process of its own."""

import signal
from pathlib import Path

from redact.batch.run import RunOptions
from redact.batch.watch import Watcher
from redact.policy import load_policy


def main(arguments: list[str]) -> None:
    """`IN OUT PRIVATE SETTLE`."""
    source, out, private = map(Path, arguments[:3])
    options = RunOptions(
        private_folder=private, maker="bench.stub_stages:maker", gate="bench.stub_stages:gate"
    )
    watcher = Watcher(source, out, load_policy("strict"), options, settle_s=float(arguments[3]), say=print)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watcher.interrupt())
    watcher.serve()
