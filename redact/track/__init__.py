"""Following things through time: shots, association, gaps, extension. Boxes in, spans out; no pixels."""
