"""The review page's own server: what waits for a person, shown and decided in a browser on this machine.

It listens on 127.0.0.1 only, lets in who has a one-time address, and decodes nothing itself: pictures come
from the confined workers. What a person decides goes through `redact.batch.review`, as on the command line.
"""
