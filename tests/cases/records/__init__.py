"""Makes records of CloudTrail and traces of CTS, in the shapes that the vendors document."""
