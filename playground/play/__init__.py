"""Ways to play: scenes, transcripts, the terminal, and events in the simulated services."""
