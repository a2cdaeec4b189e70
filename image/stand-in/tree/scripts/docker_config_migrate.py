"""Stands in for a script of hermes-agent; never run."""
