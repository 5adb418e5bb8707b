"""The projections and the views over them: one file each."""
