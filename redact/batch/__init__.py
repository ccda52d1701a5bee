"""A folder in, a gated folder out: walking, workers, the ledger and release.

`run` is the whole of it; `walk` finds the items, `jobs` runs the stages in worker processes, `settle` writes
down and releases what was judged, `store` holds the output folder, its lock and its ledger, `private` the
mapping from public ids to inputs. `review` carries out what a person decides. `ledger` is the chain,
`history` what its rows mean, `audit` proves a folder against it and `export` makes it readable; `durable`
moves files. `watch` runs it again and again on what arrives in a folder, which `arrivals` keeps book of and
`health` tells a monitor.
"""
