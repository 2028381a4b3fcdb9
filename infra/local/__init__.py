"""The second deployment target: runs the synthesized template on this machine."""
