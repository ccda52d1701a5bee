"""A watcher over the stub stages, as a process of its own: `watch_child.py IN OUT PRIVATE SETTLE`."""

import signal
import sys
from pathlib import Path

from redact.batch.run import RunOptions
from redact.batch.watch import Watcher
from redact.policy import load_policy

if __name__ == "__main__":
    source, out, private = map(Path, sys.argv[1:4])
    options = RunOptions(
        private_folder=private, maker="bench.stub_stages:maker", gate="bench.stub_stages:gate"
    )
    watcher = Watcher(source, out, load_policy("strict"), options, settle_s=float(sys.argv[4]), say=print)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watcher.interrupt())
    watcher.serve()
