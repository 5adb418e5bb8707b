"""The history as Parquet files, for engines that replay it past one machine.

May import: stores, and what lies below them.
"""
