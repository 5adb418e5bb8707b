"""Carries out commands: settles facts, envelops and numbers them, caches accounts."""
