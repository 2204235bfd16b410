"""Generates the document from the raw samples of one run. The same samples give the same bytes."""
