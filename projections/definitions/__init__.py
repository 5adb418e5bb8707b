"""The projections, and the views derived from them: one file each.

May import: `projection` and `dialect`.
"""
