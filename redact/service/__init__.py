"""The HTTP service: media come in by multipart, wait in a private spool, and go through the batch's stages.

`config` and `tokens` are what an operator sets up; `jobs` is the database of accepted work, `spool` the bytes
that wait; `house` lends the output folder to `work`, which runs the jobs; `results` reads that folder for the
HTTP side: `guards` (what every request must pass), `upload`, `desk`, `api` and `serve`. Nothing of a request
ever becomes a path, and no name of a file is kept but in the spool and the private mapping.
"""
