"""``python -m rllab_gui`` opens the lab."""

import sys

from rllab_gui.app import main

if __name__ == "__main__":
    sys.exit(main())
