"""Plots: one base for all of them, and the pure rules that keep them calm."""
