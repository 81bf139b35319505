"""A GitOps reconciler: what should run at this commit and at this moment, carried out and recorded."""

__version__ = "0.1.0"
