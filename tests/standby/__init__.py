"""A primary and its standby: nothing acknowledged is lost with one, and the other answers."""
