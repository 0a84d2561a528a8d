"""Drills: real faults in a real local stack, and whether alerting tells of each and of no other."""
