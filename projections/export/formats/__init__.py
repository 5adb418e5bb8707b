"""The export formats: one file each, which exports one `FORMAT`.

May import: `format`, `manifest` and `events` of this package, and what lies below them.
"""
