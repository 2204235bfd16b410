"""Links people to their CI accounts, and decides whose failure a person hears of."""
