"""The databases that keep the views, and how each is asked."""
