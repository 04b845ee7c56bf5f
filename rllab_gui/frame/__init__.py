"""What surrounds the workspaces: bars, messages, palette, overlay, dialogs."""
