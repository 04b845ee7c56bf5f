"""Starting, supervising and reaching the engine's processes."""
