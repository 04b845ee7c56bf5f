"""How the views of a workspace are arranged; nothing else."""
