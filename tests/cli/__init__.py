"""The command line: what each command prints, appends and ends with."""
