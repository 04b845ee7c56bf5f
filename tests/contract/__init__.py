"""Tests of what every side shares."""
