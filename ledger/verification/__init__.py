"""Holds every stored byte against the Merkle log, and says what was and was not checked."""
