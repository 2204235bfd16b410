"""The simulated GitHub's REST API over HTTP."""
