"""Decoding inputs to frames and encoding covered frames, one module per kind of media.

`base` has the handler contract, `sniff` finds the handler by content.
"""
