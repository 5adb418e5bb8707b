"""The commands: one file each, or a folder where a group has many.

May import: everything in `cli` but `main`.
"""
