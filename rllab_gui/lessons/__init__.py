"""The teaching layer: what stands behind each option and view, with its equation."""
