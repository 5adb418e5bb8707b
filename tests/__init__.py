"""The specification of authledger, as tests. The name of a test is its sentence."""
