"""Option editors, generated from the declarations in ``engine.contract.options``."""
