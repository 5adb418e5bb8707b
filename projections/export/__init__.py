"""The history as Parquet files, for engines that replay it past one machine."""
