"""Given what happened, when somebody asks, then these facts."""
