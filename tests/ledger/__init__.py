"""The write side: what may be relied on about facts, and how they are kept."""
