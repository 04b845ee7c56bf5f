"""What every side shares: options, messages, catalogue, the form of a state."""
