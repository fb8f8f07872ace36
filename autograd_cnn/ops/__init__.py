"""Differentiable operations, one family a file.  Each op is a class; the function beside it is the public name."""
