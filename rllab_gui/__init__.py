"""RL Lab's window: shows; knows no torch."""
