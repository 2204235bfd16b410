"""Ways to play: scenes, transcripts, the terminal, and what happens in the simulated world."""
