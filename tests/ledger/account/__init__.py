"""The rules: given a history, when a command comes, then these facts."""
