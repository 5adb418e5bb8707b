"""AWS CloudTrail's records as observed facts."""
