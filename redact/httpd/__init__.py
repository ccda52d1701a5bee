"""What the HTTP service and the review page share: guards, refusals, bounded bodies, a quiet log, a server.

Nothing here knows an item, a folder or a decision.
"""
