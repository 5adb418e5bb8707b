"""The voice: what each command prints, appends and ends with."""
