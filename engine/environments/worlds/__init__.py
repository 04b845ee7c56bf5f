"""Teaching worlds of our own."""
