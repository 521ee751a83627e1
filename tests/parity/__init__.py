"""Our models against reference implementations, in an environment of their own: `make parity`."""
