"""The code interpreter's daemon, on every kind of platform that this machine can show."""
