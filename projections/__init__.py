"""The read side: views over the events. All of it may be deleted and rebuilt."""
