"""The HTTP service: media come in by multipart, wait in a private spool, and go through the batch's stages.

`config` and `tokens` are what an operator sets up; `jobs`, in `tables`, is the database of accepted work,
`spool` the bytes that wait; `house` lends the output folder to `work`, which runs the jobs; `upload`, `desk`,
`api` and `serve` are the HTTP side, behind the guards of `redact.httpd`, and read finished files through
`redact.batch.results`. Nothing of a request ever becomes a path, and no name of a file is kept but in the
spool and the private mapping.
"""
