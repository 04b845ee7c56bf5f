"""RL Lab's engine: learns, plays, remembers; knows no window."""
