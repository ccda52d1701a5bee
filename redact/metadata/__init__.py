"""The only metadata that may stand by the pixels: rights fields, read by allow-list, written afresh."""
