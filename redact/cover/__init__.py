"""Overwriting regions so that nothing of them can be had back: `padding`, `styles`, and the `painter`."""
