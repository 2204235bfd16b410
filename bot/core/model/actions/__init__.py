"""What restarts and cancels are decided to send, and what each POST returned. Values; pure."""
