"""Walks through the real window as a person would take them; each leaves pictures."""
