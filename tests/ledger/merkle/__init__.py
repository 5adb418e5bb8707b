"""The Merkle log against its standards: the whole of them, and nothing beside."""
