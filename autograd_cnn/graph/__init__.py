"""The engine: records ops as a graph and walks it backwards.  It knows no concrete op."""
