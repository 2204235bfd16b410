"""Live messages of followed builds."""
