"""`python -m multisite`: the same as the command `multisite`."""

import sys

from multisite.cli import main

sys.exit(main())
