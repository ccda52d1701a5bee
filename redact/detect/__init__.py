"""Finding faces and text on single pictures. See `base` for the contract, `modes` for what is run when."""
