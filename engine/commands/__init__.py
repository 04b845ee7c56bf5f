"""What ``rllab`` can do, one module for each subject.

A module of commands has ``add(commands)``, which adds its subcommands to the
parser; each names the function that runs it and returns the exit status.
"""
