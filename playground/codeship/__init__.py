"""A simulated CodeShip: its v1 API, builds that move on, faults."""
