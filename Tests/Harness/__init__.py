"""What the tests that run the real binary share: starting and stopping it, its users, signed raw requests."""
