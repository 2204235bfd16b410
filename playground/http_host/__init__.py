"""A simulated service's HTTP server on loopback, its request log and its faults."""
