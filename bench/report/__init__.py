"""The document, worked out of the raw samples of one run: the same samples give the same bytes. Measures nothing."""
