"""A folder in, a gated folder out: walking, workers, the ledger and release.

`run` is the whole of it; `walk` finds the items, `jobs` runs the stages in worker processes, `store` holds
the output folder, its lock and its ledger, `private` the mapping from public ids to inputs.
"""
