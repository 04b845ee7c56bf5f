"""The mathematics of the field: pure functions on tensors, one per equation."""
