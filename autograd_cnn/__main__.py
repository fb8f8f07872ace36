"""`python -m autograd_cnn` is the command line."""

from autograd_cnn.cli import main

main()
