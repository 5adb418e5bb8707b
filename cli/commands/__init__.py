"""The commands, one file each; a group with many commands is a folder."""
