"""How entries are kept: the canonical bytes, and the databases that hold them."""
