"""The calls that CI services allow, counted by one process or shared by several."""
