"""Tests of the service: transport, supervision, and the real engine."""
