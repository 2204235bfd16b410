"""A simulated CodeShip: its v1 API, builds that progress, faults."""
