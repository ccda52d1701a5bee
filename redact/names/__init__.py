"""Names that must not appear: the watch list, folding of scripts to one skeleton, and matching. Pure."""
