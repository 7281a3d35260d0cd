"""``python -m runtime.host FD``: a task host at the other end of a worker's socket pair."""

import sys

from runtime.host.process import main

main(int(sys.argv[1]))
