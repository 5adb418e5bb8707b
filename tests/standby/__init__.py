"""Two servers, one following the other: what is kept when one goes, what the other answers."""
