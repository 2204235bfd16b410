"""What people read: an outcome or an error in, a message out. One file a subject, pure."""
