"""`python -m stack` is `blytz`."""

import sys

from stack.cli import main

sys.exit(main())
