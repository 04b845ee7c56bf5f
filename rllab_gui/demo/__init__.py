"""The real window, driven by clicks: ``python -m rllab_gui.demo --out DIR``."""
